"""The documents for other systems keep to the published schemas, and the checks find what is wrong.

InterchangeTests compares the program's output with fixtures/interchange, so that no server is needed here.
"""

import json
from pathlib import Path

import pytest

from validation import InvalidDocument, validate_cap, validate_cot, validate_eido, validate_pidf

DOCUMENTS = Path(__file__).parents[2] / "fixtures" / "interchange"
XML_CHECKS = {"pidf": validate_pidf, "cap": validate_cap, "cot": validate_cot}


def _names(prefix: str) -> list[str]:
    names = sorted(path.name for path in DOCUMENTS.glob(f"{prefix}-*"))
    assert names, f"no document in {DOCUMENTS} begins with {prefix}"
    return names


@pytest.mark.parametrize("name", [name for prefix in XML_CHECKS for name in _names(prefix)])
def test_xml_is_valid(name):
    XML_CHECKS[name.split("-")[0]]((DOCUMENTS / name).read_bytes())


@pytest.mark.parametrize("name", _names("eido"))
def test_eido_is_valid(name):
    validate_eido(json.loads((DOCUMENTS / name).read_text()))


# A document, what is replaced in it, and a word of the complaint.
BROKEN = [
    ("pidf-caller.xml", "</presence>", "", "well-formed"),
    ("pidf-caller.xml", 'id="caller-c1"', 'id="1 2"', "tuple"),
    ("pidf-caller.xml", "gs:Circle", "gs:Sphere", "Sphere"),
    ("pidf-caller.xml", "EPSG::4326", "EPSG::4979", "coordinates"),
    ("pidf-caller.xml", "53.550341", "91", "no place"),
    ("pidf-caller.xml", 'pdf="normal">68', 'pdf="normal">100', "confidence"),
    ("pidf-caller.xml", "<gp:method>GPS</gp:method>", "<gp:way>GPS</gp:way>", "way"),
    ("pidf-caller.xml", "true</gbp:", "perhaps</gbp:", "boolean"),
    ("cap-update-exercise.xml", "2026-11-23T03:11:35-00:00</sent>", "2026-11-23T03:11:35Z</sent>", "sent"),
    ("cap-update-exercise.xml", "<sender>sight", "<sender>sight ", "sender"),
    ("cap-update-exercise.xml", "Exercise</status>", "Training</status>", "status"),
    ("cap-update-exercise.xml", "references", "addresses", "addresses"),
    ("cap-feed.xml", "<updated>", "<published>", "well-formed"),
    ("cot-caller-c1.xml", 'ce="12.5"', 'ce=""', "ce"),
    ("cot-caller-c1.xml", 'how="m-g" ', "", "how"),
    ("cot-caller-c1.xml", 'stale="2026', 'stale="2025', "stale"),
    ("cot-caller-c1.xml", "callsign", "name", "callsign"),
    ("eido-full.json", '"incidentCommonPriorityNumber":9', '"incidentCommonPriorityNumber":11', "maximum"),
    ("eido-full.json", '"eidoVersion":"1.0",', "", "eidoVersion"),
    ("eido-full.json", '"callComponent"', '"callsComponent"', "callsComponent"),
    ("eido-full.json", '"Active"', '"Running"', "Running"),
    ("eido-full.json", '"$ref":"op-1@', '"$ref":"op-9@', "op-9"),
    ("eido-full.json", "53.550341 9.992872", "99 9.992872", "no place"),
    ("eido-full.json", '"lastUpdateTimeStamp":"2026-11-23T03:11:35', '"lastUpdateTimeStamp":"today', "date-time"),
]


@pytest.mark.parametrize(("name", "old", "new", "word"), BROKEN, ids=range(len(BROKEN)))
def test_what_is_wrong_is_found(name, old, new, word):
    text = (DOCUMENTS / name).read_text()
    assert old in text, f"{name} no longer has {old}"
    broken = text.replace(old, new)
    with pytest.raises(InvalidDocument, match=word):
        if name.endswith(".json"):
            validate_eido(json.loads(broken))
        else:
            XML_CHECKS[name.split("-")[0]](broken)
