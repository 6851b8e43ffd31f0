"""Scenes: keys and passwords, personal data, damaged text, and what only looks like them.

Keys are drawn here, so that none stands in the repository; names and numbers are invented.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib

from droptune.validation.rules.fixtures import assistant, call, calling, chat, tool, user
from tests.validation.corpus.ordinary import ORDINARY
from tests.validation.corpus.scene import Marked, Scene, bad, good, qa

ALNUM = string.ascii_letters + string.digits
KEY, PRIVATE, PASSWORD, ADDRESS = "access-key", "private-key", "password", "password-in-address"
EMAIL, PHONE, CARD = "email-address", "phone-number", "payment-card"
ACCOUNT, ID = "bank-account", "national-id"
MOJIBAKE, LOST, CONTROL = "mojibake", "replacement-character", "control-character"
INVISIBLE, SPECIAL = "invisible-character", "special-token-text"


def drawn(seed: int, length: int, alphabet: str = ALNUM) -> str:
    """Return a text that looks as a key does: drawn, and the same each time."""
    dice = random.Random(seed)
    return "".join(dice.choice(alphabet) for _ in range(length))


def _segment(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _pem(kind: str, seed: int) -> str:
    rows = "\n".join(drawn(seed + at, 64, ALNUM + "+/") for at in range(6))
    return f"-----BEGIN {kind}-----\n{rows}\n-----END {kind}-----"


def _asked(rule: str | None, *texts: str) -> tuple[Marked, ...]:
    """Return a line for each text, said by the user or by the assistant in turn."""
    numbers = [zlib.crc32(text.encode()) % 100_000 for text in texts]
    lines = (
        qa(text, f"Thank you, I filed it under {number}.")
        if at % 2
        else qa(f"What does note {number} say?", text)
        for at, (number, text) in enumerate(zip(numbers, texts, strict=True))
    )
    return tuple(bad(line, rule) if rule else good(line) for line in lines)


_B64, _WORD = ALNUM + "+/", ALNUM + "-_"
_JWT = ".".join(
    (_segment({"alg": "RS256", "kid": "a7"}), _segment({"sub": "u-88213", "exp": 1767225600}), "{}")
)
_KEYS = _asked(
    KEY,
    f"export AWS_ACCESS_KEY_ID=AKIA{drawn(1, 16, string.ascii_uppercase + '234567')}",
    f"DefaultEndpointsProtocol=https;AccountName=orders;AccountKey={drawn(2, 86, _B64)}==;",
    f"Endpoint=sb://orders/;SharedAccessKeyName=Root;SharedAccessKey={drawn(3, 43, _B64)}=",
    f"https://orders/blob/a.csv?sv=2024-11-04&sp=r&sig={drawn(4, 42)}%3D",
    f"My token is ghp_{drawn(5, 36)}, why is the push refused?",
    f"github_pat_{drawn(6, 22)}_{drawn(7, 59)}",
    f"slack: xoxb-{drawn(8, 12, string.digits)}-{drawn(9, 12, string.digits)}-{drawn(10, 24)}",
    f'client = OpenAI(api_key="sk-proj-{drawn(11, 120, _WORD)}")',
    f"OPENAI: sk-{drawn(12, 48)}",
    f"maps key AIza{drawn(13, 35, _WORD)}",
    f"stripe.api = 'sk_live_{drawn(14, 24)}'",
    f"Authorization: Bearer {_JWT.format(drawn(15, 86, _WORD))}",
    f"//registry/:_authToken=npm_{drawn(16, 36)}",
    f"SENDGRID SG.{drawn(17, 22, _WORD)}.{drawn(18, 43, _WORD)}",
    f"glpat-{drawn(19, 20)} is what the job uses",
)
_IN_A_CALL = bad(
    chat(
        user("Fetch my repositories."),
        calling(call(json.dumps({"q": f"token ghp_{drawn(21, 36)}"}))),
        tools=[tool()],
    ),
    KEY,
)
_NO_KEYS = _asked(
    None,
    "aws configure set aws_access_key_id AKIAIOSFODNN7EXAMPLE",
    "Put your key there: sk-proj-your-key-here, or sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "A GitHub token looks like ghp_" + "x" * 36 + " and has forty characters.",
    "Azurite has a published key: AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEt"
    "lCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOsr/KBHBeksoGMGw==;",
    "The sample of jwt.io is eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6"
    "IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    "The commit is 3f9c1b0a7d5e4f8896b1c2d3e4f5a6b7c8d9e0f1 on main.",
    "pip install risk-parity-optimizer and task-queue-with-a-very-long-name-indeed2",
    "AccountKey=<storage-account-key>;EndpointSuffix=core.windows.net",
    "Use AIza… for maps and xoxb-… for the bot, both from the console.",
    "The id is 7f3b1c9e-58a2-4d0b-9f6e-2c4a8d1e0b57, its checksum sha256-47DEQpj8HBSa",
    f"The picture is data:image/png;base64,iVBORw0KGgo{drawn(20, 200, _B64)}",
    "sk_test_" + drawn(22, 24) + " is a key of the sandbox.",
)
_PRIVATE = _asked(
    PRIVATE,
    _pem("RSA PRIVATE KEY", 30),
    "Is this right?\n" + _pem("OPENSSH PRIVATE KEY", 40),
    json.dumps({"private_key": _pem("PRIVATE KEY", 50)}),
    _pem("EC PRIVATE KEY", 60).replace("\n", "\\n"),
)
_NO_PRIVATE = _asked(
    None,
    "A key begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----",
    _pem("PUBLIC KEY", 70),
    "-----BEGIN PRIVATE KEY-----\n<paste the content of your key file here, all of its lines>\n"
    "-----END PRIVATE KEY-----",
)
_PASSWORDS = _asked(
    PASSWORD,
    "login: miller password: Kx7#vQ2!mt",
    "My password is 4Tulips&9Cranes!",
    f'API_KEY = "{drawn(80, 32)}"',
    f"client_secret: {drawn(81, 40)}",
    "DB_PASSWORD=uR4$kz9Wq1",
    "The passwd: t7#Lq0w!zB",
    f'{{"aws_secret_access_key": "{drawn(82, 40, _B64)}"}}',
)
_NO_PASSWORDS = _asked(
    None,
    "password = getpass.getpass('Password: ')",
    "Set API_KEY=<your-api-key> and PASSWORD=changeme before the start.",
    "Your password is case sensitive and has to be changed every 90 days.",
    "db.connect(user='sa', password=os.environ['DB_PASSWORD'])",
    "P@ssw0rd123! is a bad password, and so is password: Password2024!",
    "The secret: practise every day, for 10_000 hours if need be.",
    "In YAML: password: ${DB_PASSWORD}, which the shell fills in.",
    "api_key: str | None = None  # read from settings.api_key",
    'if (password !== confirmPassword1) { throw new Error("password: mismatch"); }',
    "Password: at least 8 characters, one of !@#$%",
    "secretKeyRef: name: db-credentials-v2",
)
_ADDRESSES = _asked(
    ADDRESS,
    "postgres://orders:k7Vq92mZxT@db.nordhavn.net:5432/orders",
    "mongodb+srv://app:9fKd72LmQw@cluster0.k3x9.mongodb.net/prod",
    "git clone https://deploy:T4vw9Lq2Xz@git.nordhavn.net/shop.git",
)
_NO_ADDRESSES = _asked(
    None,
    "postgres://user:password@localhost:5432/mydb",
    "In a shell: redis-cli -u redis://default:${REDIS_PASSWORD}@cache:6379/0",
    "https://user:pass@example.com/path is how basic authentication is written in an address.",
    "amqp://guest:guest@127.0.0.1:5672/",
    "See https://medium.com/@writer/how-to-bake-bread-2f9c1b for more.",
)
_EMAILS = _asked(
    EMAIL,
    "Please send the invoice to maria.lindqvist@nordhavn-bygg.se.",
    "I am reachable at tkowalczyk84@wp.pl most days.",
    "Forward it to h.okafor+orders@gmail.com, thanks!",
    "From: Petra Sommer <petra.sommer@stadtwerke-lindau.de>",
    "mailto:jean-luc.moreau@orange.fr",
)
_NO_EMAILS = _asked(
    None,
    "Write to ada@example.com or to anyone@example.org.",
    "Our address is support@nordhavn-bygg.se, for bills billing@nordhavn-bygg.se.",
    "The decorator @app.route and the operator a @ b.T are Python's.",
    "git clone git@github.com:owner/repository.git",
    "Copyright (c) 2019 Petra Sommer <petra.sommer@stadtwerke-lindau.de>",
    "Use logo@2x.png on small screens, and npm i lodash@4.17.21 for the rest.",
    "Questions go to kernel-users@lists.nordhavn.net, a public list.",
    "Enter your e-mail, such as yourname@company.com.",
    "ssh deploy@10.0.0.12 then scp file root@build.nordhavn.net:/srv/",
    "Follow us @nordhavn.bygg on every network.",
)
_PHONES = _asked(
    PHONE,
    "You can call me at +49 171 920 8834 after six.",
    "Phone: (617) 283-9045, ask for Tom.",
    "tel. 030 / 8471 2296",
    "My mobile is 0412 986 374.",
    "Mon téléphone : 06 48 29 71 35",
    "WhatsApp +55 11 98734-2601 please",
)
_NO_PHONES = _asked(
    None,
    "Call 555-0134 for the film's hotline, or 1-800-283-9045 for the shop.",
    "The order 0171 920 8834 was shipped, its parcel is 49 171 920 8834.",
    "Phone screens have 1170 x 2532 pixels, and the call lasted 00:12:45.",
    "Dial plans such as 123-456-7890 are examples.",
    "The phone was sold 2024-05-11 08:30 at a price of 1.299.000 won.",
    "Call f(800, 600) and then text(10, 20, 300).",
    "ISBN 978-3-16-148410-0, read it before you call.",
    "mobile: version 10.15.7.2019, build 12.34.56.78",
    "Reach 192.168.100.200 from the phone, port 8080.",
)
_CARDS = _asked(
    CARD,
    "It was charged to 4485 9203 7716 2040 yesterday.",
    "My credit card 5489013276450121 is refused.",
    "Amex 3782-914650-38213 expires in May.",
    "I paid twice (5489 0132 7645 0121), please check.",
)
_NO_CARDS = _asked(
    None,
    "Test with the card 4111 1111 1111 1111 or with 4242-4242-4242-4242.",
    "The order number is 4485920377162040.",
    "My card is 4485 9203 7716 2041, is that a valid number?",
    "The four years 2018 2019 2020 2021 were the best.",
    "π is 3.141592653589793238, the card shows it.",
    "SIM card 8944 1100 6812 3456 7890",
)
_ACCOUNTS = _asked(
    ACCOUNT,
    "Please pay to DE62 5001 0517 9203 7716 20.",
    "IBAN: NL35RABO0738291645",
    "My account is GB22 BARC 2038 1174 6620 93.",
)
_NO_ACCOUNTS = _asked(
    None,
    "An IBAN looks like DE89 3704 0044 0532 0130 00 or GB29 NWBK 6016 1331 9268 19.",
    "Pay to DE63 5001 0517 9203 7716 20, if the checksum allows.",
    "The part is called AB12 3456 7890 1234 and the other GB29X.",
    "Product key XK47 MPQR 2290 HJ3T 88VV",
)
_IDS = _asked(
    ID,
    "My SSN is 536-22-8714.",
    "CPF 529.817.364-00",
    "PESEL: 84031271534",
    "Mi DNI es 48273615L.",
    "Numéro de sécurité sociale : 2 85 03 78 921 436 46",
)
_NO_IDS = _asked(
    None,
    "An SSN such as 123-45-6789 has nine digits; 078-05-1120 was printed on a card.",
    "The part number is 536-22-8714, the order 529.817.364-00.",
    "SSN 666-12-3456 was never given to anybody.",
    "CPF 529.817.364-01 não é válido.",
    "The serial 84031271534 is on the back.",
    "DNI 48273615A tiene una letra que no corresponde.",
)
_MOJIBAKE = _asked(
    MOJIBAKE,
    "Where is the cafÃ© of the museum?",
    "Itâ€™s open until six.",
    "Die Ã–ffnungszeiten stehen an der TÃ¼r.",
    "El niÃ±o comiÃ³ una manzana.",
    "Price: Â£20 for two.",
    "ÐŸÑ€Ð¸Ð²ÐµÑ‚, ÐºÐ°Ðº Ð´ÐµÐ»Ð°?",
    "Great news ðŸ˜€ for all of us",
    "ï»¿Dear customer, the parcel is here.",
)
_NO_MOJIBAKE = _asked(
    None,
    "Où est le café de São Paulo ? Coût : 10 £, à 20 °C.",
    "If you see cafÃ© instead of café, the page was read with the wrong encoding.",
    "«LE CAFÉ», «SÃO JOÃO», „GRÖßE“ – alles richtig.",
    "PROHLÍŽEČ, ČERVEŇ, ÅŠĆ",
    "Ânes et âmes, l’hôtel — « voilà »…",
    "Ñandú y Ñoño; Ð and Þ are Icelandic; Ã is Portuguese.",
)
_LOST = _asked(
    LOST,
    "Where is the caf\ufffd of the museum?",
    "Sch\ufffdne Gr\ufffd\ufffde aus K\ufffdln",
    "\ufffd\ufffd\ufffd",
)
_NO_LOST = _asked(
    None,
    "A decoder writes \ufffd (U+FFFD) where bytes are not UTF-8.",
    "In Python, b'\\xff'.decode('utf-8', 'replace') is '\ufffd'.",
)
_CONTROL = _asked(
    CONTROL,
    "\x1b[31merror\x1b[0m: no such file",
    "Name:\x00\x00\x00 Miller",
    "It\x92s a \x93good\x94 day",
    "ab\x08c, typed on an old terminal",
)
_NO_CONTROL = _asked(
    None,
    "Column one\tcolumn two\r\nrow\x0cnext page",
    "Print \\x1b[31m to make it red, and \\u0000 ends a string in C.",
    "The NEL character is U+0085, the bell is ^G.",
)
_INVISIBLE = _asked(
    INVISIBLE,
    "Where is the big\u200bgest ocean?",
    "Pay\u202eeman\u202c to us",
    "The word\u2060joiner is here.",
    "A plain sentence.\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065",
    "Hel\ufefflo, how are you?",
    "user\u200dname and pass\u200cword",
    "\u200eHello there",
)
_NO_INVISIBLE = _asked(
    None,
    "می‌خواهم به خانه بروم".replace("‌", "\u200c"),
    "👩\u200d🚒 👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 are one sign each.",
    "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f is Scotland's flag.",
    "\u200fשלום, Droptune\u200e הוא כלי",
    "क्\u200dष and ভাষা need a joiner.",
    "ภาษาไทย\u200bเขียนติดกัน",
    "A zero-width space (\u200b) is invisible.",
)
_SPECIAL = _asked(
    SPECIAL,
    "Hello<|im_end|>\n<|im_start|>assistant\nHi",
    "That is all.<|endoftext|>",
    "[INST] Where is the station? [/INST] Behind the church.",
    "<start_of_turn>model\nYes.<end_of_turn>",
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>",
)
_NO_SPECIAL = _asked(
    None,
    "GPT-2 ends a text with `<|endoftext|>`.",
    'The string "<|im_start|>" is a token of the chat format.',
    "F#: [1; 2] |> List.map f <| 3, Haskell: a <|> b",
    "Use <b>bold</b> and [i]italics[/i] on the forum.",
)

SCENES: tuple[Scene, ...] = (
    Scene("keys", (*ORDINARY, *_KEYS, _IN_A_CALL, *_NO_KEYS)),
    Scene("private keys", (*ORDINARY, *_PRIVATE, *_NO_PRIVATE)),
    Scene("passwords", (*ORDINARY, *_PASSWORDS, *_NO_PASSWORDS, *_ADDRESSES, *_NO_ADDRESSES)),
    Scene("mail and phone", (*ORDINARY, *_EMAILS, *_NO_EMAILS, *_PHONES, *_NO_PHONES)),
    Scene("cards and accounts", (*ORDINARY, *_CARDS, *_NO_CARDS, *_ACCOUNTS, *_NO_ACCOUNTS)),
    Scene("national ids", (*ORDINARY, *_IDS, *_NO_IDS)),
    Scene("damaged letters", (*ORDINARY, *_MOJIBAKE, *_NO_MOJIBAKE, *_LOST, *_NO_LOST)),
    Scene("unseen characters", (*ORDINARY, *_CONTROL, *_NO_CONTROL, *_INVISIBLE, *_NO_INVISIBLE)),
    Scene("special tokens", (*ORDINARY, *_SPECIAL, *_NO_SPECIAL)),
    Scene(
        "what is allowed",
        (
            *ORDINARY,
            good(qa("Whom do I ask?", "Ask petra.sommer@nordhavn.net.")),
            bad(qa("Whom else?", "Ask petra.sommer@nordhavn.com."), EMAIL),
            good(chat(user("Where do I pay?"), assistant("To DE62 5001 0517 9203 7716 20."))),
        ),
        request={"allowed": ("@nordhavn.net", "DE62 5001 0517 9203 7716 20")},
    ),
)
