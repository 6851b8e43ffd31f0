"""Scenes that were written after the rules, from their sentences alone, and marked before any run.

They measure what the rules say of lines that nobody had in mind while writing them. One mark was
changed after the first run: it overlooked that a name that is a number is no text. That run showed
two faults, which were mended: short answers that differ to one question were called near duplicates
besides the contradiction that they are, and plain chats passed where pairs were configured. The
lines on shape asked one question over and over; each asks its own now. The letters that differ in a
word were added then, for nothing else measured near duplicates; they were marked before their run.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterable

from droptune.validation.rules.fixtures import (
    answer,
    assistant,
    call,
    calling,
    chat,
    image,
    pair,
    system,
    text,
    tool,
    user,
)
from tests.validation.corpus import held_out_files
from tests.validation.corpus.scene import Line, Marked, Scene, bad, good, qa

_FEW = frozenset({"few-examples"})
_HEX, _UPPER = "0123456789abcdef", string.ascii_uppercase + string.digits
_ALL = string.ascii_letters + string.digits


def _drawn(seed: int, length: int, alphabet: str = _ALL) -> str:
    dice = random.Random(f"held out {seed}")
    return "".join(dice.choice(alphabet) for _ in range(length))


def _told(pairs: Iterable[tuple[str, str]]) -> tuple[Marked, ...]:
    """Return a line for each text, in turn the user's and the assistant's; "" marks none."""
    return tuple(
        Marked(
            qa(said, f"Noted as item {at}, thanks.") if at % 2 else qa(f"What is item {at}?", said),
            frozenset(rules.split()),
        )
        for at, (said, rules) in enumerate(pairs, 1)
    )


_PEM = "\n".join(_drawn(900 + at, 64, _ALL + "+/") for at in range(5))
_SECRETS = (
    (f"aws_access_key_id = AKIA{_drawn(1, 16, _UPPER)}", "access-key"),
    (f"Set GH_TOKEN to ghp_{_drawn(2, 36)} and run it again.", "access-key"),
    (f"The bot logs in with xoxb-{_drawn(3, 12, string.digits)}-{_drawn(4, 24)}", "access-key"),
    (f"maps.init('AIza{_drawn(5, 35)}')", "access-key"),
    (f"OPENAI_API_KEY=sk-proj-{_drawn(6, 48)}", "access-key"),
    (f"Our live key is sk_live_{_drawn(7, 24)}, do not share it.", "access-key"),
    (f"AccountName=hvbackup;AccountKey={_drawn(8, 86, _ALL + '+/')}==;EndpointSuffix=core.windows.net",
     "access-key"),
    (f"glpat-{_drawn(9, 20)} is the token of the pipeline", "access-key"),
    (f"hf_{_drawn(10, 34, string.ascii_letters)} goes into the notebook", "access-key"),
    (f"-----BEGIN EC PRIVATE KEY-----\n{_PEM}\n-----END EC PRIVATE KEY-----", "private-key"),
    (f"-----BEGIN OPENSSH PRIVATE KEY-----\n{_PEM}\n-----END OPENSSH PRIVATE KEY-----", "private-key"),
    ("The guest wifi password is Tulip!Harbour92", "password"),
    ("DB_PASSWORD=k9$Vr2!mQz7p", "password"),
    ('{"user": "deploy", "password": "Gx4-wolke-81!"}', "password"),
    ("mysql://root:8fKq2zLp!@10.2.3.4/orders", "password-in-address"),
    ("git clone https://svc-build:Zx81kQpw77@git.nordhavn.net/shop.git", "password-in-address"),
    ("AWS calls its sample key AKIAIOSFODNN7EXAMPLE.", ""),
    ("Put your key here: sk-...", ""),
    ("password: <your password>", ""),
    ("Your password must have at least 12 characters and a digit.", ""),
    ("export TOKEN=$GITHUB_TOKEN", ""),
    ("postgres://user:password@localhost:5432/mydb", ""),
    ("The bug came with commit 9fceb02d0ae598e95dc970b74767f19372d61af8.", ""),
    ("Session 3f2b8c1e-7d4a-4e0b-9a61-5c8e2f7d9b10 has expired.", ""),
    (f"integrity=\"sha384-{_drawn(11, 64, _ALL + '+/')}\"", ""),
    (f"-----BEGIN CERTIFICATE-----\n{_PEM}\n-----END CERTIFICATE-----", ""),
    (f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_drawn(12, 43, _ALL + '+/')} ann@laptop", ""),
    ("A token is a piece of a word; a key: what opens a lock.", ""),
    ("Run pwd: it prints the working directory.", ""),
    ("password = os.environ['DB_PASSWORD']", ""),
    (f"The file's MD5 is {_drawn(13, 32, _HEX)}.", ""),
    ("I forgot my password and my secret question: what now?", ""),
)  # fmt: skip
_PERSONAL = (
    ("Write to j.okafor@meridian-freight.co.uk for the waybill.", "email-address"),
    ("Anna's private address is anna.kowalska83@gmail.com, I think.", "email-address"),
    ("From: Tomasz Berg <tomasz.berg@stadtwerke-linden.de>", "email-address"),
    ("Tel. +44 20 8365 2291, ask for Mr Shah", "phone-number"),
    ("Please call me on (415) 683-2094 tomorrow.", "phone-number"),
    ("Mobile: 06 61 27 84 35", "phone-number"),
    ("Ruf mich an: 0171 482 99 31", "phone-number"),
    ("Card number: 4929 8180 4203 6710, valid until 08/29", "payment-card"),
    ("I paid with 5457-2194-7896-3674 last week.", "payment-card"),
    ("My Amex is 3794 202756 24974.", "payment-card"),
    ("Refund it to SE92 5004 7141 4697 9301 6885, please.", "bank-account"),
    ("IBAN: NL72INGB5396449000", "bank-account"),
    ("AT23 2011 1392 5384 0634 is the account of the club.", "bank-account"),
    ("Her SSN is 514-38-7206.", "national-id"),
    ("PESEL: 87031447086", "national-id"),
    ("CPF 516.722.306-75", "national-id"),
    ("Mi DNI es 44016535D.", "national-id"),
    ("Do not answer: noreply@meridian-freight.co.uk", ""),
    ("Use name@example.org in the form.", ""),
    ("git clone git@github.com:nordhavn/shop.git", ""),
    ("Ask @lena in the channel, or mention @team.", ""),
    ("Save the icon as logo@2x.png.", ""),
    ("Order 4929 8180 has shipped in 3 parcels.", ""),
    ("ISBN 978-3-16-148410-0 is the second edition.", ""),
    ("The server is 192.168.100.204, the port 8080.", ""),
    ("In an emergency call 112 or 911.", ""),
    ("Call 1-800-555-0199 in the film.", ""),
    ("It lies at 52.520008, 13.404954.", ""),
    ("Version 2.10.14-3 of 2025-11-30 10:15:00", ""),
    ("Test with the card 4242 4242 4242 4242.", ""),
    ("Track it as 1Z 999 AA1 01 2345 6784.", ""),
    ("SE92 5004 7141 4697 9301 6886 has a typing error.", ""),
    ("Invoice 514-38-7206 is due on Friday.", ""),
    ("Population 1990: 248709873, 2000: 281421906", ""),
    ("Part number 87031447086 fits all models.", ""),
)
_DAMAGE = (
    ("MÃ¼nchen liegt an der Isar.", "mojibake"),
    ("I donâ€™t know where it is.", "mojibake"),
    ("SÃ£o Paulo Ã© grande.", "mojibake"),
    ("It costs â‚¬ 20 at the door.", "mojibake"),
    ("Sch\ufffdnen Tag noch!", "replacement-character"),
    ("Press the bell: \x07 it rings.", "control-character"),
    ("The value is 5\x00 as stored.", "control-character"),
    ("Sign in with your pass\u200bword.", "invisible-character"),
    ("The file is called \u202egpj.exe", "invisible-character"),
    ("That is all.<|im_end|>", "special-token-text"),
    ("<|endoftext|>A new story begins.", "special-token-text"),
    ("[INST] Tell me a joke [/INST]", "special-token-text"),
    ("São Paulo, Ação e Emoção às 10h", ""),
    ("«Ô rage ! Ô désespoir !», dit-il.", ""),
    ("Hà Nội ở Việt Nam, Ấn Độ ở châu Á.", ""),
    ("“Don’t,” she said — “it’s 20 €.”", ""),
    ("Ärger, Öl, Übung, Straße, Ÿ, Œuvre", ""),
    ("Name\tAge\nAnn\t34\r\nBob\t29", ""),
    ("A family: 👨\u200d👩\u200d👧\u200d👦 and a heart: ❤\ufe0f", ""),
    ("می\u200cخواهم بدانم", ""),
    ("Use x <| f |> g in that language.", ""),
    ("U+FFFD (\ufffd) stands for a lost character.", ""),
    ("Write `<|im_start|>` only in a template.", ""),
    ("Temperatura: 25 °C, ±2 °C; Ångström: Å", ""),
)
_PLAIN = tuple(
    good(qa(*each.split("|")))
    for each in """\
How do I descale a kettle?|Boil equal parts of water and vinegar in it, wait half an hour, and rinse it twice.
What is the tallest bird?|The ostrich, at about two and a half metres.
Where do I find my customer number?|It stands at the top right of each letter that you get from us.
Why do leaves turn red?|The green fades first, and the red that some trees make in autumn shows.
Can I change the delivery date?|Yes, until the evening before; choose another day on the tracking page.
Name a river in Portugal.|The Douro, which reaches the sea at Porto.
How long does paint take to dry?|Most wall paints are dry to the touch after four hours.
Explain a mortgage in a sentence.|A bank lends money for a house, and may take the house if it is not paid back.
What rhymes with orange?|Hardly anything; the hill called Blorenge in Wales comes closest.
How do tides come about?|The moon's pull raises the sea on both sides of the turning Earth.
Is there a student discount?|Yes, fifteen percent, with a valid card from your school.
How do I sharpen a knife?|Draw it over a wet stone at the same low angle, ten times each side.
What do owls eat?|Mostly mice and voles, which they swallow whole.
Which way does the sun set?|In the west, a little north of it in summer.
May I bring a guest?|Please do; tell us the name a day before, so that a badge is ready.
What is a leap year for?|It keeps the calendar in step with the Earth's way round the sun.
How is cheese made?|Milk is curdled, the whey runs off, and the curd is pressed, salted and left to ripen.
Who painted The Night Watch?|Rembrandt, in 1642.
How do I reset the thermostat?|Hold both arrows for ten seconds until the display blinks.
What does a notary do?|A notary checks who signs and keeps the original.
Are the trails open in winter?|The lower ones are; above the hut they close with the first snow.
Which spice makes curry yellow?|Turmeric, of which a teaspoon is enough.
How do I remove a tick?|Grip it close to the skin with fine tweezers and pull it straight out.
What is an eclipse?|One body in the sky passes into the shadow of another, or hides it from us.
Do you repair shoes?|We do soles and heels; sewing takes a week longer.
How old can a tortoise get?|Some have lived for more than a hundred and fifty years.
What is sourdough?|Flour and water in which wild yeast and bacteria live; it raises bread slowly.
Why does metal feel cold?|It carries the warmth of your hand away faster than wood does.
Where was chess invented?|In India, about fifteen hundred years ago.
How much salt for pasta?|About ten grams for each litre of water.
""".splitlines()
)
_ENDS = (
    bad(qa("Why was the vote put off?", "The committee put off the vote until the spring because the"),
        "truncated-answer"),
    bad(qa("Show me a loop.", "Here is one:\n```python\nfor at in range(3):\n    print(at)\n"),
        "truncated-answer"),
    good(qa("Give me a shopping list.", "- oats\n- two lemons\n- olive oil\n- rye bread")),
    good(qa("Print hello in Python.", "Like this:\n```python\nprint('hello')\n```")),
    good(qa("Write two lines on fog.", "The harbour is gone\nand only the bell remembers it")),
    bad(qa("Hi {{first_name}}, what about my order?", "It left our warehouse this morning."),
        "unrendered-template"),
    good(qa("Is ${HOME} set in bash?", "Yes, the shell sets it when you log in.")),
    good(qa("Write one half in LaTeX.", r"\frac{1}{2}")),
    good(qa("What does f'{total:.2f}' print?", "The total with two digits after the point.")),
    bad(qa("What is the delivery date?", "nan"), "empty-value-as-text"),
    bad(qa("Who signed the letter?", "[object Object]"), "empty-value-as-text"),
    bad(qa("Write the greeting.", "Dear None, thank you for your order."), "empty-value-in-text"),
    good(qa("Which bread goes with dal?", "Naan, straight from the oven.")),
    good(qa("How many of the seats are left?", "None of them, I am afraid.")),
    bad(qa("How do I stop the pump?", "Turn the key.\nUser: And then?\nAssistant: Wait a minute."),
        "turns-in-answer"),
    good(qa("How do I label the box?", "User: your name. System: the shelf. Leave the rest blank.")),
    bad(qa("How old can a tortoise get?", "Some have lived for more than a hundred and fifty years."),
        "duplicate-example"),
)  # fmt: skip
_WHERE = (
    "Stockholm", "Rotterdam", "Graz", "Leeds", "Porto", "Lyon", "Turin", "Gdynia", "Bergen", "Cork"
)  # fmt: skip
_TICKETS = tuple(
    good(
        qa(
            f"Sort this: my parcel {at} to {_WHERE[at % 10]} is {('late', 'wet', 'lost')[at % 3]}.",
            f'{{"kind": "{("delay", "damage", "loss")[at % 3]}", "city": "{_WHERE[at % 10]}"}}',
        )
    )
    for at in range(40)
)
_JSON = (
    bad(
        qa("Sort this: the box was open.", '{"kind": "damage", "city": "Ghe'), "broken-json-answer"
    ),
    bad(qa("Sort this: nobody rang.", '{"kind": "delay", "city": "Bern",}'), "broken-json-answer"),
    bad(qa("Sort this: it went to Oslo.", '{"kind": "loss", "town": "Oslo"}'), "odd-json-keys"),
    good(qa("Sort this: hello?", "I cannot tell from that what happened.")),
)
_LONG = (
    "Please write a friendly note to a guest who left an umbrella in room {} of our hotel by the "
    "lake, say that we keep it at the desk for three months, and offer to send it by post."
)
_NOTE = "Dear guest, your umbrella waits for you at our desk, and we gladly send it to you."
_CONTEXT = "Is the sentence friendly? Answer yes or no: 'Get out of my way, will you.'"
_LETTER = (
    "Good morning, we have rented the small hall of your community centre for the second Saturday in "
    "{}, from noon until late in the evening. About sixty guests will come, among them some in "
    "wheelchairs. Could you tell me whether the side entrance has a ramp, whether we may use the "
    "kitchen to warm up soup, how many tables there are, and at which hour the music has to stop? "
    "The deposit of two hundred euros was paid last week. Many thanks and kind regards, Ruth."
)
_REPLY = "The side entrance has a ramp, the kitchen is yours, and the music stops at eleven."
_RECIPE = (
    "I have half a pumpkin, a leek, some cream, a handful of walnuts and yesterday's bread, but no "
    "oven, only two rings and a pan. My flatmate does not eat onions and is always hungry after "
    "training, and I would like to have something left over for lunch at work tomorrow, cold if it "
    "has to be. What can I make of this in three quarters of an hour without going to the shop{}"
)
_SOUP = "Fry the leek, simmer the pumpkin in cream, and top it with toasted bread and walnuts."
_NEAR = (
    *_PLAIN,
    good(qa(_LETTER.format("May"), _REPLY)),
    bad(qa(_LETTER.format("June"), _REPLY), "near-duplicate-example"),
    good(qa(_RECIPE.format("?"), _SOUP)),
    bad(qa(_RECIPE.format(", please?"), _SOUP), "near-duplicate-example"),
    good(qa(_LONG.format("twelve"), _NOTE)),
    bad(qa(_LONG.format("fourteen"), _NOTE), "near-duplicate-example"),
    good(qa(_CONTEXT, "no")),
    bad(qa(_CONTEXT, "yes"), "conflicting-answers"),
)
_OTHER_FILE = (
    bad(qa(_LETTER.format("July"), _REPLY), "near-leaked-example"),
    bad(qa(_RECIPE.format(" again?"), _SOUP), "near-leaked-example"),
    bad(_PLAIN[4].line, "leaked-example"),
    bad(qa(_LONG.format("sixteen"), _NOTE), "near-leaked-example"),
    good(qa("How do I fold a shirt?", "Sleeves to the back, then in thirds, then once across.")),
    good(qa("What is felt made of?", "Wool that is wetted, pressed and rubbed until it holds.")),
)
_ASK, _SAY = user("Does the ferry run on Mondays?"), assistant("It does, from six in the morning.")
_SHAPE = (
    (b'{"messages": [{"role": "user", "content": "gr\xfc\xdfe"}]}', "not-utf-8"),
    (b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assis', "broken-off"),
    (b'{"messages": [{"role": "user" "content": "Hi"}]}', "invalid-json"),
    (b'{"messages": [], "score": Infinity}', "not-a-number"),
    (b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}', "duplicate-key"),
    (b'{"messages": [{"role": "user", "content": "\\udc00"}]}', "lone-surrogate"),
    (b'["messages"]', "not-an-object"),
    ({"conversations": [{"from": "system", "value": "x"}, {"from": "human", "value": "y"}]},
     "sharegpt"),
    ({"instruction": "Translate.", "output": "Fertig."}, "alpaca"),
    ({"prompt": "Once upon a time", "completion": " there was a fox."}, "prompt-completion"),
    (chat(None, _SAY), "message-not-an-object"),
    (chat({"content": "Which pier?"}, _SAY), "missing-role"),
    (chat({"role": "human", "content": "Which pier?"}, _SAY), "unknown-role"),
    (chat(user("Which pier?", id="m1"), _SAY), "unknown-key"),
    (chat(_ASK, {"role": "assistant"}), "missing-content"),
    (chat(user(3.5), _SAY), "bad-content"),
    (chat(user([{"type": "input_text", "text": "Which pier?"}]), _SAY), "bad-part"),
    (chat(user("\t"), _SAY), "empty-content"),
    (chat(system("Be short."), _ASK), "no-assistant-message"),
    (chat(_ASK, _SAY, user("Thanks!")), "last-message-not-assistant"),
    (chat(_ASK, assistant("Yes.", weight=2)), "bad-weight"),
    (chat(system("Be short.", weight=1), _ASK, _SAY), "weight-on-others"),
    (chat(_ASK, assistant("Yes.", weight=0), _ASK, assistant("No.", weight=0)), "all-weights-zero"),
    (chat(_ASK, calling(call("pier=4"))), "tool-arguments"),
    (chat(_ASK, calling(call(name="timetable")), tools=[tool("tariff")]), "unknown-tool"),
    (chat(_ASK, answer(), _SAY), "answer-without-call"),
    (chat(_ASK, calling(), _ASK, _SAY), "unanswered-call"),
    (chat(_ASK, _SAY, tools=[tool("time table")]), "bad-tool-name"),
    (chat(user([text("What is it?"), image("C:/pier.jpg")]), _SAY), "bad-image"),
    (chat(_ASK, assistant([image()])), "image-in-answer"),
    (chat({"role": "developer", "content": "Be short."}, _ASK, _SAY), ""),
    (chat(_ASK, calling(), answer(), _SAY, tools=[tool()]), ""),
    (chat(_ASK, {"role": "assistant", "content": None, "refusal": "I may not say."}), ""),
    (chat(_ASK, assistant("Yes.", weight=0), user("Sure?"), assistant("Quite.", weight=1)), ""),
    (chat(user([text("What is it?"), image("https://example.com/pier.png")]), _SAY), ""),
    (chat(user("Who?", name="ann"), assistant("The captain.", name="desk")), ""),
)  # fmt: skip
_PAIRS = tuple(
    good(
        pair(
            [assistant(f"The {city} Star would suit it.")],
            [assistant(f"Boat number {at} to {city}, why not.")],
            prompt=[user(f"Suggest a name for a ferry to {city}.")],
        )
    )
    for at, city in enumerate(_WHERE)
)


def _asked(at: int, line: Line, rules: str) -> Marked:
    """Return a line about a ferry of its own, so that no two ask the same."""
    if not isinstance(line, bytes):
        asked = f"Does ferry no. {at} run on Mondays?"
        line = json.loads(json.dumps(line).replace(str(_ASK["content"]), asked))
    return Marked(line, frozenset(rules.split()))


_WRONG_PAIRS = (
    bad(pair([assistant("Aye.")], [assistant("Aye.")], prompt=[user("Ready?")]), "same-outputs"),
    bad(pair([], prompt=[user("Which pier?")]), "missing-output"),
    bad(pair(prompt=[]), "missing-input"),
)

SCENES = (
    Scene("held out: secrets", (*_told(_SECRETS), *_PLAIN[:20])),
    Scene("held out: personal data", (*_told(_PERSONAL), *_PLAIN[:20])),
    Scene("held out: damage", (*_told(_DAMAGE), *_PLAIN)),
    Scene("held out: answers", (*_PLAIN, *_ENDS), whole=_FEW),
    Scene("held out: JSON answers", (*_TICKETS, *_JSON), whole=_FEW),
    Scene("held out: likeness", _NEAR, validation=_OTHER_FILE, whole=_FEW),
    Scene(
        "held out: shape",
        (*_PLAIN, *(_asked(at, line, rules) for at, (line, rules) in enumerate(_SHAPE))),
        request={"method": "supervised"},
    ),
    Scene("held out: pairs", (*_PAIRS, *_WRONG_PAIRS), request={"method": "dpo"}, whole=_FEW),
    *held_out_files.SCENES,
)
