"""Holds documents for other systems against their schemas, and against the rules that no schema says.

Each function returns nothing for a sound document and raises InvalidDocument otherwise, with what is wrong and where.
"""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path

import jsonschema
from lxml import etree

SCHEMAS = Path(__file__).parent / "schemas"

PIDF = "{urn:ietf:params:xml:ns:pidf}"
GEOPRIV = "{urn:ietf:params:xml:ns:pidf:geopriv10}"
CONFIDENCE = "{urn:ietf:params:xml:ns:geopriv:conf}"
GML = "{http://www.opengis.net/gml}"
SHAPE = "{http://www.opengis.net/pidflo/1.0}"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
ATOM = "{http://www.w3.org/2005/Atom}"


class InvalidDocument(AssertionError):
    """A document that a reader who keeps to the standard would refuse."""


def validate_pidf(xml: str | bytes) -> None:
    """A presence document with one location object: RFC 3863, 4119, 5491 and 7459."""
    root = _parse(xml)
    _apply("pidf-lo.xsd", root)
    _require(root.tag == f"{PIDF}presence", f"the root is {root.tag}, not presence")
    infos = root.findall(f"{PIDF}tuple/{PIDF}status/{GEOPRIV}geopriv/{GEOPRIV}location-info")
    _require(len(infos) == 1, f"there are {len(infos)} location objects in a tuple's status instead of one")
    shapes = [child for child in infos[0] if child.tag != f"{CONFIDENCE}confidence"]
    _require(len(shapes) == 1, f"there are {len(shapes)} shapes instead of one (RFC 5491 section 3)")
    shape = shapes[0]
    # The schemas are lax about elements that they do not know.
    _require(shape.tag in (f"{GML}Point", f"{SHAPE}Circle"), f"{shape.tag} is no shape that is known here")
    numbers = [float(number) for number in shape.findtext(f"{GML}pos").split()]
    system = shape.get("srsName")
    dimensions = {"urn:ogc:def:crs:EPSG::4326": 2, "urn:ogc:def:crs:EPSG::4979": 3}.get(system)
    _require(dimensions == len(numbers), f"{system} does not go with {len(numbers)} coordinates")
    _check_place(numbers[0], numbers[1])
    if shape.tag == f"{SHAPE}Circle":
        radius = shape.find(f"{SHAPE}radius")
        _require(float(radius.text) > 0, "a circle without extent is a point")
        _require(radius.get("uom") == "urn:ogc:def:uom:EPSG::9001", "a radius is in metres (RFC 5491 section 5.2)")
    else:
        _require(len(infos[0]) == 1, "a point has no confidence: it has no uncertainty (RFC 7459 section 3)")
    _require(root.find(f"{PIDF}tuple/{PIDF}timestamp") is not None, "the place has no time (RFC 5491 section 3.1)")


def validate_cap(xml: str | bytes) -> None:
    """One alert, CAP 1.2, or an Atom feed of alerts."""
    root = _parse(xml)
    if root.tag == f"{ATOM}feed":
        _check_feed(root)
        for alert in root.iterfind(f"{ATOM}entry/{ATOM}content/{CAP}alert"):
            validate_cap(etree.tostring(alert))
        return
    _apply("CAP-v1.2.xsd", root)
    _require(root.tag == f"{CAP}alert", f"the root is {root.tag}, not alert")
    for name in ("identifier", "sender"):
        text = root.findtext(f"{CAP}{name}")
        _require(bool(re.fullmatch(r"[^\s,<&]+", text)), f"{name} has a character that it must not have: {text!r}")
    kind, scope = root.findtext(f"{CAP}msgType"), root.findtext(f"{CAP}scope")
    references = (root.findtext(f"{CAP}references") or "").split()
    _require(kind == "Alert" or references, f"an {kind} has to refer to what it changes")
    for reference in references:
        _require(bool(re.fullmatch(r"[^\s,]+,[^\s,]+,[-+T:\d]+", reference)), f"no reference: {reference!r}")
    _require(scope != "Restricted" or root.findtext(f"{CAP}restriction"), "a restricted alert says for whom it is")
    for circle in root.iterfind(f"{CAP}info/{CAP}area/{CAP}circle"):
        match = re.fullmatch(r"(-?[\d.]+),(-?[\d.]+) ([\d.]+)", circle.text)
        _require(match is not None, f"no circle: {circle.text!r}")
        _check_place(float(match[1]), float(match[2]))


def validate_cot(xml: str | bytes) -> None:
    """One event, CoT 2.0."""
    root = _parse(xml)
    _require(root.tag == "event", f"the root is {root.tag}, not event")
    missing = [name for name in ("version", "uid", "type", "how", "time", "start", "stale") if not root.get(name)]
    _require(not missing, f"the event lacks {', '.join(missing)}")
    _require(float(root.get("version")) >= 2, f"version {root.get('version')} is not 2.0")
    _require(bool(re.fullmatch(r"\w+(-[\w.]+)*", root.get("type"))), f"no type: {root.get('type')}")
    _require(bool(re.fullmatch(r"[hm](-\w+)+", root.get("how"))), f"no way to know: {root.get('how')}")
    start, stale = _time(root.get("start")), _time(root.get("stale"))
    _time(root.get("time"))
    _require(start <= stale, "the event is stale before it starts")
    tags = [child.tag for child in root]
    _require(tags == ["point", "detail"], f"the event has {tags} instead of a point and a detail")
    point = root[0]
    unknown = [name for name in ("lat", "lon", "hae", "ce", "le") if not _is_decimal(point.get(name))]
    _require(not unknown, f"the point's {', '.join(unknown)} is no number; 9999999.0 stands for unknown")
    _check_place(float(point.get("lat")), float(point.get("lon")))
    contact = root[1].find("contact")
    _require(contact is not None and contact.get("callsign"), "maps show a callsign, and there is none")


def validate_eido(document: dict) -> None:
    """One incident, NENA-STA-021.1, with the places in it."""
    errors = sorted(_eido_schema().iter_errors(document), key=lambda error: list(error.absolute_path))
    _require(not errors, "\n".join(f"{error.json_path}: {error.message[:300]}" for error in errors[:10]))
    names, references = [], []
    _collect(document, names, references)
    twice = {name for name in names if names.count(name) > 1}
    _require(not twice, f"several components are named {', '.join(sorted(twice))}")
    lost = set(references) - set(names)
    _require(not lost, f"references lead nowhere: {', '.join(sorted(lost))}")
    for location in document.get("locationComponent", []):
        if "locationByValue" in location:
            validate_pidf(location["locationByValue"])


# Parts


def _require(condition, message: str) -> None:
    if not condition:
        raise InvalidDocument(message)


def _parse(xml: str | bytes) -> etree._Element:
    data = xml.encode() if isinstance(xml, str) else xml
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise InvalidDocument(f"no well-formed XML: {error}") from error


@cache
def _xml_schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMAS / name))


def _apply(name: str, root: etree._Element) -> None:
    schema = _xml_schema(name)
    if not schema.validate(root):
        raise InvalidDocument("\n".join(f"{name}, line {error.line}: {error.message}" for error in schema.error_log))


@cache
def _eido_schema() -> jsonschema.Draft202012Validator:
    formats = jsonschema.FormatChecker(formats=())
    # Its own check of times would need a further package.
    formats.checks("date-time", raises=InvalidDocument)(lambda text: not isinstance(text, str) or bool(_time(text)))
    schema = json.loads((SCHEMAS / "eido.schema.json").read_text())
    # The root's "$id" is a property; the schema has none of its own.
    return jsonschema.Draft202012Validator(schema, format_checker=formats)


def _collect(value, names: list, references: list) -> None:
    if isinstance(value, dict):
        if "$id" in value:
            names.append(value["$id"])
        if "$ref" in value:
            references.append(value["$ref"])
        for member in value.values():
            _collect(member, names, references)
    elif isinstance(value, list):
        for member in value:
            _collect(member, names, references)


def _check_feed(root: etree._Element) -> None:
    """RFC 4287 sections 4.1.1 and 4.1.2: what a feed and its entries have exactly once."""
    entries = root.findall(f"{ATOM}entry")
    for element in [root, *entries]:
        for name in ("id", "title", "updated"):
            found = element.findall(f"{ATOM}{name}")
            _require(len(found) == 1 and found[0].text, f"{element.tag} has {len(found)} of {name} instead of one")
        _time(element.findtext(f"{ATOM}updated"))
    _require(root.findtext(f"{ATOM}author/{ATOM}name"), "the feed has no author")
    for entry in entries:
        _require(len(entry.findall(f"{ATOM}content/{CAP}alert")) == 1, "an entry has no alert")


def _time(text: str) -> datetime:
    """RFC 3339 with an offset."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InvalidDocument(f"no time: {text!r}") from error
    _require(time.tzinfo is not None, f"a time without an offset: {text!r}")
    return time


def _is_decimal(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _check_place(latitude: float, longitude: float) -> None:
    _require(-90 <= latitude <= 90 and -180 <= longitude <= 180, f"no place on earth: {latitude}, {longitude}")
