"""What a text that somebody sends means: a key, yes or no, STOP, START, a worry, "call me".

A function of the text alone. Digits may be of any alphabet; capitals, accents, Arabic vowel signs
and lengthening, keycaps, marks of direction, punctuation and blanks make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.i18n import plain_key

LONGEST_READ: Final = 1000
"""Longer texts are cut here before they are read: no answer is that long."""
_MOST_WORDS: Final = 5
"""What says more beside a key than so many words is a letter, not an answer."""
_MOST_AROUND_STOP: Final = 4


class What(StrEnum):
    KEY = "key"
    """A digit from 1 to 9."""
    ALL = "all"
    """All of those that were named: "les deux"."""
    YES = "yes"
    NO = "no"
    STOP = "stop"
    START = "start"
    WORRY = "worry"
    CALL_ME = "call_me"
    FREE_TEXT = "free_text"


@dataclass(frozen=True, slots=True)
class Said:
    """What a text means, and whether more is in it that somebody should read."""

    what: What
    key: int | None = None
    has_more: bool = False


def read_answer(text: str) -> Said:
    """What a text means. Safety comes first, then STOP, then what can be answered."""
    words = words_of(text)
    for reading in _READINGS:
        if (said := reading(words)) is not None:
            return said
    return _thumb(text) or Said(What.FREE_TEXT, has_more=bool(text.strip()))


def words_of(text: str) -> list[str]:
    """The words and numbers of a text as keys, digits as 0-9."""
    composed = unicodedata.normalize("NFKC", text[:LONGEST_READ])
    bare = "".join(map(_bare, composed))
    keys = (_without_repeats(plain_key(word)) for word in re.findall(r"[^\W_]+", bare))
    return [key for key in keys if key]


def _bare(sign: str) -> str:
    """A sign as it is read: any alphabet's digit as 0-9, nothing where nobody sees it."""
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    if sign == "ـ" or unicodedata.category(sign) in ("Cf", "Mn", "Me"):
        return ""
    return sign


def _without_repeats(word: str) -> str:
    """Letters written three times or more to insist, as in "ouiiii", once."""
    return re.sub(r"([^\W\d])\1{2,}", r"\1", word)


def _keys(words: str) -> frozenset[str]:
    return frozenset(map(plain_key, words.split()))


_WORRIES: Final = _keys(
    """
    sos danger worry chikaya chikaia shikaya شكاية شكايه شكوى خطر نجدة
    """
)
_STOPS: Final = _keys(
    """
    stop stopp stopall stoppe stope unsubscribe desabonner desabonnez قف توقف توقفوا أوقف أوقفوا
    إيقاف ستوب حبس حبسو حبسوا
    """
)
# These may also speak of a bus or an illness, so beside them only words of messages may stand.
_SOFT_STOPS: Final = _keys(
    """
    arret arrets arreter arretez arrete stopper stoppez 7bes 7bess habes habess hbes hbess 7bso
    habsso 7bsso hbso وقف وقفو وقفوا
    """
)
_OF_MESSAGES: Final = _keys(
    """
    tout tous les le des de sms message messages rappel rappels envoi envois n9raw moi me ca
    all rassa2il rassail lmessajat الكل كل شيء الرسائل رسائل رسالة نقراو هاد هذه ليا عني
    m nous envoyer recevoir الميساجات عليا علينا عنا إرسال
    """
)
_TEXTS: Final = _keys("sms message messages rappel rappels الرسائل رسائل رسالة الميساجات")
_STARTS: Final = _keys(
    """
    start unstop reprendre reprenez reprend reprise recommencer recommencez ابدأ ابدؤوا
    ابدأوا ابدأو بدا استئناف استأنف استأنفوا عاود عاودو bda bdaw bdaou 3awd 3awdo
    """
)
_CALLS: Final = _keys(
    """
    appel appelez appelle appeler rappelez rappelle rappeler telephonez call callme callback
    bip 3iyet 3iyto 3ayet 3ayto 3ayetli 3aytoliya 3iytoliya 3ytolia sonnez اتصل اتصلوا اتصلو
    اتصال كلموني كلمني كلمونا هاتفوني عيط عيطو عيطوا عيطي عيطولي صوني صونيو
    """
)
_ME: Final = _keys(
    """
    moi me nous liya lia li lina بي بنا ليا لي لنا
    """
)
_YES: Final = _keys(
    """
    oui wi ouais yes ok okay daccord accord wakha waxa wakhha iyeh iyyeh iyih ieh ayeh ah
    ewa bien sur present presente presents نعم واخا واخة وخا اه آه ايه أيه إيه أجل اوكي
    موافق موافقة موافقون أكيد حاضر حاضرين
    """
)
_NO: Final = _keys(
    """
    non no nn la lala lla nan absent absente absents mayemkench maymkench mayimkench
    mamkench لا لالا كلا مايمكنش مايمكنليش مستحيل غائب غائبة
    """
)
_POLITE: Final = _keys(
    """
    merci beaucoup svp stp please pls bonjour bonsoir salam slm salut s il vous te plait
    monsieur madame mr mme prof ostad oustad lalla si d chokran choukran chukran shukran
    barak baraka barakalaho allah lah laho allaho llah fik fikom fikoum fikum lahi ykhlef
    khlef ikhlef inchallah nchallah inshallah incha in cha sha hamdollah شكرا جزيلا لكم لك
    من فضلك فضلكم بارك الله فيك فيكم السلام عليكم ورحمة سلام صباح مساء الخير النور إن شاء
    انشاء انشاءالله يخلف عليك الحمد لله أستاذ أستاذة سيدي لالة عفاك عافاك عفاكم
    """
)
_ALL_OF_THEM: Final = _keys(
    """
    lesdeux les2 tous toutes touslesdeux touteslesdeux lestrois les3 touslestrois all both
    bjouj bjoj bjoujhom kamlin kolhom kulhum الكل كلهم كلنا جميعا جميعهم بجوج بجوجهم كاملين
    الاثنان الاثنين همامعا معا
    """
)
# "1 heure de retard" is no answer to which of two.
_UNITS: Final = _keys(
    """
    h heure heures min mn minute minutes jour jours semaine semaines mois an ans fois enfant
    enfants fille filles garcon garcons eleve eleves km dh dhs sa3a swaye3 d9i9a nhar ryal
    hour hours day days ere er eme e st nd ac bac cours seance seances ساعة ساعات دقيقة
    دقائق يوم أيام أسبوع شهر سنة مرة مرات أطفال درهم دقيقه حصة حصص دروس
    """
)


def _worry(words: list[str]) -> Said | None:
    """One such word anywhere is enough: a look too many costs little."""
    found = any(word in _WORRIES for word in words) or _together(words) in _WORRIES
    return Said(What.WORRY, has_more=len(words) > 1) if found else None


def _stop(words: list[str]) -> Said | None:
    if not words:
        return None
    around = [word for word in words if word not in _POLITE]
    alone = _together(words) in _STOPS | _SOFT_STOPS
    hard = bool(around) and around[0] in _STOPS and len(set(around)) <= _MOST_AROUND_STOP
    soft = bool(around) and around[0] in _SOFT_STOPS and _are(around[1:], _OF_MESSAGES)
    if alone or hard or soft:
        return Said(What.STOP)
    # "Stop, ne nous envoyez plus de messages": what else is in it a coordinator reads.
    of_texts = bool(around) and around[0] in _STOPS and not _TEXTS.isdisjoint(around)
    return Said(What.STOP, has_more=True) if of_texts else None


def _start(words: list[str]) -> Said | None:
    around = [word for word in words if word not in _POLITE]
    if not around:
        return None
    found = around[0] in _STARTS and _are(around[1:], _OF_MESSAGES)
    return Said(What.START) if found or _together(words) in _STARTS else None


def _call_me(words: list[str]) -> Said | None:
    around = [word for word in words if word not in _POLITE]
    if not around or around[0] not in _CALLS or len(around) > _MOST_WORDS:
        return None
    return Said(What.CALL_ME, has_more=not _are(around[1:], _ME))


def _all_of_them(words: list[str]) -> Said | None:
    around = [word for word in words if word not in _POLITE]
    return Said(What.ALL) if _together(around) in _ALL_OF_THEM else None


def _key(words: list[str]) -> Said | None:
    """A digit at the beginning, such as "1", "2." or "2 Sara est malade"; or after a greeting."""
    at = next((place for place, word in enumerate(words) if word not in _POLITE), None)
    if at is None or not re.fullmatch("[1-9]", words[at]):
        return None
    key, rest = words[at], [word for word in words[at + 1 :] if word not in _POLITE]
    is_answer = (
        len(rest) <= _MOST_WORDS
        and all(word == key or not word.isdecimal() for word in rest)
        and not (rest and rest[0] in _UNITS)
    )
    if not is_answer:
        return None
    return Said(What.KEY, int(key), has_more=any(word != key for word in rest))


def _yes_or_no(words: list[str]) -> Said | None:
    """These words alone: "la" is also an article, and "oui mais" may mean anything."""
    around = [word for word in words if word not in _POLITE]
    if around and _are(around, _YES):
        return Said(What.YES)
    return Said(What.NO) if around and _are(around, _NO) else None


_READINGS: Final[tuple[Callable[[list[str]], Said | None], ...]] = (
    _worry, _stop, _start, _call_me, _all_of_them, _key, _yes_or_no,
)  # fmt: skip


def _thumb(text: str) -> Said | None:
    """A thumb, up or down, in any colour and as often as one likes."""
    signs = {sign for sign in text if sign.isprintable() and not sign.isspace()}
    signs -= {sign for sign in signs if unicodedata.category(sign) in ("Sk", "Mn", "Cf")}
    if signs == {"👍"} or signs == {"👌"}:
        return Said(What.YES)
    return Said(What.NO) if signs == {"👎"} else None


def _are(words: list[str], known: frozenset[str]) -> bool:
    return all(word in known for word in words)


def _together(words: list[str]) -> str:
    """The words as one, so that "S.T.O.P" and "les deux" are found."""
    return "".join(words)
