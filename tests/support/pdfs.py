"""PDF files for tests: good ones by reportlab, bad ones by hand."""

import io
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen import canvas

from tests.support.services import TUTORIALS


def upload(content: bytes, name: str = "Lecture.pdf") -> SimpleUploadedFile:
    """Return the content as a browser uploads it."""
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def good(pages: int = 3, *, size: tuple[float, float] = (720, 405), text: str = "Page {}") -> bytes:
    """Return a PDF of this many pages, with a line of text on each."""
    file = io.BytesIO()
    sheet = canvas.Canvas(file, pagesize=size)
    for number in range(1, pages + 1):
        sheet.setFont("Helvetica", 40)
        sheet.drawString(50, size[1] - 100, text.format(number))
        sheet.showPage()
    sheet.save()
    return file.getvalue()


def tutorial(language: str, pages: int) -> bytes:
    """Return the first pages of a tutorial; `language` is "" for English, or ".ja"."""
    writer = PdfWriter()
    for page in PdfReader(TUTORIALS / f"packaging-tutorial{language}.pdf").pages[:pages]:
        writer.add_page(page)
    return _written(writer)


def encrypted() -> bytes:
    """Return a PDF that opens with a password only."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(good(1))))
    writer.encrypt("secret")
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def assemble(*objects: bytes) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """Return a stream object."""
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(content), entries, content)


def page(content: bytes, *more: bytes, box: bytes = b"0 0 720 405", resources: bytes = b"") -> bytes:
    """Return a PDF of one page with this content stream object; `more` are the objects from 5."""
    return assemble(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 4 0 R/Resources<<%b>>>>" % (box, resources),
        content,
        *more,
    )


def sized(box: bytes) -> bytes:
    """Return a PDF of one empty page with this MediaBox."""
    return page(stream(b""), box=box)


def without_pages() -> bytes:
    """Return a PDF that is well formed and has no page."""
    return assemble(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")


def xref_loop() -> bytes:
    """Return a PDF whose cross-reference table names itself as the one before it."""
    head = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    table = b"xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 1/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return head + table % (len(head), len(head))


def tree_loop() -> bytes:
    """Return a PDF whose page tree is its own child."""
    return assemble(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>")


def deep_tree(depth: int = 3_000) -> bytes:
    """Return a PDF whose only page lies below this many nodes of its page tree."""
    nodes = [b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>" % (n - 1, n + 1) for n in range(3, depth)]
    leaf = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 720 405]>>" % (depth - 1)
    return assemble(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", *nodes, leaf
    )  # fmt: skip


def packed(content: bytes, times: int, entries: bytes = b"") -> bytes:
    """Return a stream object that unpacks to `content` this many times."""
    squeeze = zlib.compressobj(1)
    data = b"".join(squeeze.compress(content) for _ in range(times)) + squeeze.flush()
    return stream(data, b"/Filter/FlateDecode" + entries)


def operator_bomb() -> bytes:
    """Return a PDF of 1 MB that draws 40 million lines."""
    return page(packed(b"0 0 m 9 9 l S " * 100_000, 400))


def picture_bomb() -> bytes:
    """Return a PDF of one page with a picture of a thousand million pixels."""
    entries = b"/Type/XObject/Subtype/Image/Width 50000/Height 20000/ColorSpace/DeviceGray/BitsPerComponent 8"
    picture = packed(bytes(1_000_000), 100, entries)
    return page(stream(b"q 720 0 0 405 0 0 cm /I Do Q"), picture, resources=b"/XObject<</I 5 0 R>>")


def form_bomb(depth: int = 25) -> bytes:
    """Return a PDF in which each form draws the next one twice."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 720 405]/Resources<</XObject<</F %d 0 R>>>>"
    forms = [stream(b"/F Do /F Do", entries % number) for number in range(6, 5 + depth)]
    last = stream(b"0 0 m 9 9 l S", entries % 4)
    return page(stream(b"/F Do"), *forms, last, resources=b"/XObject<</F 5 0 R>>")


def endless() -> bytes:
    """Return a PDF that would take hours to draw: a pattern of hundreds of millions of tiles."""
    tile = stream(
        b"0 0 1 1 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001/Resources<<>>",
    )
    return page(stream(b"/Pattern cs /P scn 0 0 720 405 re f"), tile, resources=b"/Pattern<</P 5 0 R>>")
