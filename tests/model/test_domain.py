"""Domain names: without case, U-labels equal to A-labels, and nothing but ASCII folded."""

import pytest

from tidewaiter.model.domain import DomainError, ascii_domain, parse_domain


@pytest.mark.parametrize(
    ("text", "domain", "compared"),
    [
        ("Inside.TEST", "inside.test", "inside.test"),
        ("B\u00fccher.Example", "b\u00fccher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a", "a", "a"),
        ("_dmarc.a", "_dmarc.a", "_dmarc.a"),
        ("1.2", "1.2", "1.2"),
    ],
)
def test_a_domain_is_read_and_compared(text: str, domain: str, compared: str) -> None:
    assert parse_domain(text) == domain
    assert ascii_domain(domain) == compared


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a b", "a\n", "-a", "a-", "a/b", "b" * 64, "\u2028", "\u00fc b.test"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(DomainError):
        parse_domain(text)


def test_case_is_folded_in_ascii_only() -> None:
    kelvin = "\u212aelvin.test"
    assert parse_domain(kelvin) == kelvin
    assert ascii_domain(kelvin) == "kelvin.test"


@pytest.mark.parametrize("text", ["a\u2028b.test", "\u00fc\u3002\u3002test", "a b\u00fc", "xn--\u00fc", "\u00fc" * 64])
def test_what_has_no_a_label_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        ascii_domain(text)
    assert len(str(caught.value)) < 400
