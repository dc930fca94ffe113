"""What is known of the instances: the most weight that can be served, and the weight asked."""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    served: int
    asked: int


_PILOTS = (
    "174/214 120/192 169/199 171/201 158/209 179/219 145/177 148/181 184/221 195/232"
    " 161/196 167/190 191/212 153/190 170/200 163/183 162/210 142/181 151/193 172/218"
)

# The pilots' figures come with the instances; that of Khouribga was proved here.
OPTIMA = {
    "khouribga": Known(245, 281),
    **{
        f"pilot-{i}": Known(*map(int, pair.split("/")))
        for i, pair in enumerate(_PILOTS.split(), start=1)
    },
}
