"""Numbers that carry their own proof: cards, bank accounts, national ids."""

from __future__ import annotations

from collections.abc import Sequence

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24,
    "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21,
    "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SA": 24,
    "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CPF_DIGITS = 11


def luhn(digits: str) -> bool:
    """Whether the last digit is the one that Luhn's formula asks for."""
    doubled = [int(char) * 2 for char in digits[-2::-2]]
    total = sum(int(char) for char in digits[::-2]) + sum(n - 9 if n > 9 else n for n in doubled)
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's: length and beginning of an issuer, and Luhn's digit."""
    n, two, four = len(digits), int(digits[:2]), int(digits[:4])
    known = (
        (digits[0] == "4" and n in (13, 16, 19))
        or (n == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
        or (n == 15 and two in (34, 37))
        or (n == 16 and (four == 6011 or two == 65 or 3528 <= four <= 3589))
        or (n == 14 and two in (36, 38, 39))
    )
    return known and luhn(digits)


def is_iban(account: str) -> bool:
    """Whether an account without blanks has its country's length and the remainder 1."""
    if _IBAN_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1


def is_ssn(digits: str) -> bool:
    """Whether nine digits may be a US social security number."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    real = area not in ("000", "666") and area[0] != "9" and group != "00" and serial != "0000"
    return real and digits[:5] != "12345"


def is_cpf(digits: str) -> bool:
    """Whether eleven digits are a Brazilian taxpayer's, with both check digits."""
    return len(set(digits)) > 1 and all(
        _cpf_digit(digits[:at]) == int(digits[at]) for at in (_CPF_DIGITS - 2, _CPF_DIGITS - 1)
    )


def _cpf_digit(digits: str) -> int:
    return _weighed(digits, range(len(digits) + 1, 1, -1)) * 10 % 11 % 10


def is_pesel(digits: str) -> bool:
    """Whether eleven digits are a Polish PESEL with a month and its check digit."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return int(digits[2:4]) % 20 in range(1, 13) and _weighed(digits, weights) % 10 == 0


def is_nir(digits: str) -> bool:
    """Whether fifteen digits are a French social security number with its key."""
    return digits[0] in "12" and int(digits[13:]) == 97 - int(digits[:13]) % 97


def is_dni(account: str) -> bool:
    """Whether eight digits and a letter are a Spanish DNI."""
    return account[-1] == _DNI_LETTERS[int(account[:8]) % 23]


def _weighed(digits: str, weights: Sequence[int]) -> int:
    return sum(int(char) * weight for char, weight in zip(digits, weights, strict=True))
