"""The canonical text of a JSON value, on which the tests' own check of the journal's hashes rests, is the standard's."""

import pytest

import journal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (5e-324, "5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"), (1e21, "1e+21"),
        (295147905179352830000.0, "295147905179352830000"), (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"), (333333333.3333333, "333333333.3333333"), (53, "53"), (9.99201, "9.99201"),
        ({"\u20ac": 1, "\r": 2, "1": 3, "\U0001f600": 4, "\ufb33": 5}, '{"\\r":2,"1":3,"€":1,"😀":4,"\ufb33":5}'),
        ('€$\x0f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
    ])
def test_canonical_text_is_the_standards(value: object, text: str) -> None:
    """RFC 8785 §3.2.2.2, §3.2.3 and appendix B."""
    assert journal.canonical(value) == text
