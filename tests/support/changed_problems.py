"""What happens to a programme between two plans: people leave and arrive, windows change."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tests.support.crowded_problems import Document, households, maybe_windows, pins, requests


@st.composite
def changed_problems(draw: st.DrawFn, document: Document) -> Document:
    """The same problem after one to three changes."""
    changed = copy.deepcopy(document)
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        change(draw, changed)
    return changed


def _tutor_leaves(draw: Any, document: Document) -> None:
    if document["tutors"]:
        gone = draw(st.sampled_from(document["tutors"]))
        document["tutors"].remove(gone)
        for kind in ("pins", "vetoes"):
            document[kind] = [one for one in document[kind] if one["tutor"] != gone["id"]]
        for request in document["requests"]:
            if request.get("previous_tutor") == gone["id"]:
                request["previous_tutor"] = None


def _pupil_leaves(draw: Any, document: Document) -> None:
    gone = draw(st.sampled_from(document["requests"]))
    if len(document["requests"]) > 1:
        document["requests"].remove(gone)
        for kind in ("pins", "vetoes"):
            document[kind] = [one for one in document[kind] if one["request"] != gone["id"]]


def _pupil_arrives(draw: Any, document: Document) -> None:
    home = f"H{len(document['households'])}"
    document["households"].append(draw(households(home)))
    document["requests"].append(draw(requests(f"N{home}", len(document["households"]))))


def _window_changes(draw: Any, document: Document) -> None:
    who = draw(st.sampled_from([*document["tutors"], *document["households"]]))
    who["available" if "available" in who else "reachable"] = draw(maybe_windows)


def _fewer_lessons(draw: Any, document: Document) -> None:
    for tutor in document["tutors"]:
        tutor["max_lessons_per_week"] = draw(st.integers(0, tutor["max_lessons_per_week"]))


def _fewer_phones(draw: Any, document: Document) -> None:
    for home in document["households"]:
        home["phones"] = 1


def _smaller_groups(draw: Any, document: Document) -> None:
    document["channels"]["whatsapp"]["max_group"] = draw(st.integers(1, 2))


def _veto_comes(draw: Any, document: Document) -> None:
    if document["tutors"]:
        request = draw(st.sampled_from(document["requests"]))["id"]
        tutor = draw(st.sampled_from(document["tutors"]))["id"]
        document["vetoes"].append({"request": request, "tutor": tutor})


def _pins_change(draw: Any, document: Document) -> None:
    if document["tutors"]:
        document["pins"] = draw(pins(document["requests"], document["tutors"]))


CHANGES = [
    _tutor_leaves,
    _pupil_leaves,
    _pupil_arrives,
    _window_changes,
    _fewer_lessons,
    _fewer_phones,
    _smaller_groups,
    _veto_comes,
    _pins_change,
]
