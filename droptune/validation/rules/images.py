"""Images in messages. Source: facts of the vision fine-tuning guide; limits of February 2026."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, image, text, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("images")
GOOD = case(chat(user([text(), image()]), assistant()))
MOST_IMAGES, MOST_BYTES, MOST_EXAMPLES = 64, 10_000_000, 50_000
_DETAILS = ("low", "high", "auto")
_TYPES = ("image/jpeg", "image/png", "image/webp")
_MAGIC = {"image/jpeg": "/9j/", "image/png": "iVBORw0KGgo", "image/webp": "UklGR"}


class Image(NamedTuple):
    """An image part; `image` is what stands under image_url."""

    path: str
    role: str
    image: Any


@rules.example(
    "bad-image",
    Severity.ERROR,
    says="An image has no address that the service could read.",
    fix='Use {"type": "image_url", "image_url": {"url": "https://… or data:…"}}.',
    odd_only=True,
    fails=case(chat(user([image("file:///a.png")]), assistant())),
    passes=GOOD,
)
def bad_image(example: Example) -> Iterator[Place]:
    """Yield a place for each image without an http, https or data address."""
    for each in images_of(example):
        if not _url(each).startswith(("http://", "https://", "data:")):
            yield Place(message="the image has no http, https or data address", path=each.path)


@rules.example(
    "bad-image-detail",
    Severity.ERROR,
    says="An image's detail is none of low, high and auto.",
    fix="Use low, high or auto.",
    odd_only=True,
    fails=case(chat(user([image(detail="medium")]), assistant())),
    passes=case(chat(user([image(detail="low")]), assistant())),
)
def bad_image_detail(example: Example) -> Iterator[Place]:
    """Yield a place for each other detail."""
    for each in images_of(example):
        detail = each.image.get("detail") if type(each.image) is dict else None
        if detail is not None and (type(detail) is not str or detail not in _DETAILS):
            said = "detail is not low, high or auto"
            yield Place(message=said, path=f"{each.path}.image_url.detail")


@rules.example(
    "bad-image-type",
    Severity.ERROR,
    says="An embedded image is not JPEG, PNG or WEBP, or not what it says it is.",
    fix="Convert it to JPEG, PNG or WEBP, and embed it as data:image/…;base64,….",
    odd_only=True,
    fails=case(chat(user([image("data:image/gif;base64,R0lGODlh")]), assistant())),
    passes=case(chat(user([image("data:image/png;base64,iVBORw0KGgoAAAA")]), assistant())),
)
def bad_image_type(example: Example) -> Iterator[Place]:
    """Yield a place for each embedded image of another type; only its first bytes are read."""
    for each in images_of(example):
        url = _url(each)
        if url.startswith("data:"):
            head, _, data = url[5:].partition(",")
            kind, _, encoding = head.partition(";")
            if kind not in _TYPES or encoding != "base64" or not data.startswith(_MAGIC[kind]):
                yield Place(
                    message="the embedded image is no JPEG, PNG or WEBP in base64", path=each.path
                )


@rules.example(
    "image-too-large",
    Severity.ERROR,
    says="An embedded image is larger than 10 MB.",
    fix="Scale it down.",
    odd_only=True,
    fails=lambda: case(
        chat(user([image(f"data:image/png;base64,{'A' * 13_400_000}")]), assistant())
    ),
    passes=GOOD,
)
def image_too_large(example: Example) -> Iterator[Place]:
    """Yield a place for each embedded image whose content is too large."""
    for each in images_of(example):
        url = _url(each)
        if url.startswith("data:") and (size := len(url) * 3 // 4) > MOST_BYTES:
            yield Place(message=f"the image has {size / 1e6:.1f} MB", path=each.path)


@rules.example(
    "too-many-images",
    Severity.ERROR,
    says=f"An example has more than {MOST_IMAGES} images.",
    fix="Split the example.",
    odd_only=True,
    fails=case(chat(user([image()] * (MOST_IMAGES + 1)), assistant())),
    passes=GOOD,
)
def too_many_images(example: Example) -> Iterator[Place]:
    """Yield a place if there are too many in all messages together."""
    if (count := len(images_of(example))) > MOST_IMAGES:
        yield Place(message=f"{count} images are more than {MOST_IMAGES}", path="messages")


@rules.example(
    "image-in-answer",
    Severity.ERROR,
    says="An assistant's message holds an image.",
    fix="Move it to a user's message; answers are text.",
    odd_only=True,
    fails=case(chat(user(), assistant([image()]))),
    passes=GOOD,
)
def image_in_answer(example: Example) -> Iterator[Place]:
    """Yield a place for each image of the assistant's."""
    for each in images_of(example):
        if each.role == "assistant":
            yield Place(message="an assistant's message holds an image", path=each.path)


class ImageExamples:
    """How many examples hold an image."""

    def __init__(self) -> None:
        """Begin with none."""
        self.count = 0

    def add(self, example: Example) -> None:
        """Count an example with an image."""
        if example.odd and images_of(example):
            self.count += 1

    def merge(self, later: Self, lines: int) -> None:
        """Add another part's."""
        self.count += later.count


@rules.file(
    "too-many-image-examples",
    Severity.ERROR,
    says=f"More than {MOST_EXAMPLES:,} examples of a file hold images.",
    fix="Leave some out.",
    states=(ImageExamples,),
    fails=lambda: case(*[chat(user([image()]), assistant())] * (MOST_EXAMPLES + 1)),
    passes=GOOD,
)
def too_many_image_examples(file: FileView) -> Iterator[Place]:
    """Yield a place if there are too many."""
    if (count := file.state(ImageExamples).count) > MOST_EXAMPLES:
        yield Place(message=f"{count:,} examples hold images; {MOST_EXAMPLES:,} may")


def images_of(example: Example) -> list[Image]:
    """Return every image part, in order."""
    return [
        Image(f"{message.path}.content[{at}]", message.role, part.get("image_url"))
        for message in example.messages
        if type(content := message.value.get("content")) is list
        for at, part in enumerate(content)
        if type(part) is dict and part.get("type") == "image_url"
    ]


def _url(image: Image) -> str:
    url = image.image.get("url") if type(image.image) is dict else None
    return url if type(url) is str else ""
