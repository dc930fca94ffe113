"""What is known of the instances: the most weight found so far, and the least upper bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """`served` is the most weight found by anyone, `bound` is never beaten."""

    served: int
    asked: int
    bound: int

    @property
    def is_optimum(self) -> bool:
        return self.served == self.bound


_PILOTS = (
    "174/214 120/192 169/199 171/201 158/209 179/219 145/177 148/181 184/221 195/232"
    " 161/196 167/190 191/212 153/190 170/200 163/183 162/210 142/181 151/193 172/218"
)


def _optimum(served: int, asked: int) -> Known:
    return Known(served, asked, served)


# The figures come with the instances (k1 to k100: a local search of 60, 90 and 120 s on one core);
# that of Khouribga was proved here.
KNOWN = {
    "khouribga": _optimum(245, 281),
    **{
        f"pilot-{i}": _optimum(*map(int, pair.split("/")))
        for i, pair in enumerate(_PILOTS.split(), start=1)
    },
    "lernfair": _optimum(1_045, 1_045),
    "k1": Known(1_825, 2_028, 1_900),
    "k10": Known(16_991, 18_688, 17_299),
    "k100": Known(165_097, 186_941, 166_955),
}
