"""The child process that turns a PDF into images and text; run by path, it knows nothing of Django or the project.

Reads the PDF from standard input and answers on standard output, in order: `{"pages": n}`, then for each page a line
`{"number", "width", "height", "text", "sizes"}` (units, units, raw text, bytes of each image) followed by the images'
bytes, or `{"number", "error": code}` for a page that cannot be drawn; and `{"done": true}` at the end. Or, at any
place, `{"error": code}` for the whole file. Its only argument is a JSON object: `memory` (bytes), `cpu` (seconds),
`max_pages`, `text` (characters kept of a page), `skip` (numbers of pages that are not wanted).
"""

import ctypes
import io
import json
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

UNITS = 1600  # the width of every slide on the board
WIDTHS = (1600, 800, 320)
MAX_PIXELS = 1600 * 2560  # 16 MB of bitmap: an A4 page at full width needs 3.6 million
MAX_POINTS = 10_000  # 3.5 m: wider than a poster printer, and than an 8K picture at one point a pixel
MIN_POINTS = 8
MAX_RATIO = 8
MAX_IMAGE_PIXELS = 100_000_000  # of one picture on a page, as it is stored in the file: a large camera's photograph
PR_SET_PDEATHSIG = 1


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """This PDF, or this page of it, is not converted; `args[0]` is the refusal code."""


def confine(memory: int, cpu: int) -> None:
    """Take from this process what a PDF needs not: memory, time, files, dumps, and a life longer than its parent's."""
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, 0),  # it writes to its pipe and to no file
        (resource.RLIMIT_NOFILE, 32),  # modules and the system's fonts
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (limit, limit))
    os.nice(5)  # a lesson that runs beside it goes first
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def say(out: BinaryIO, **line: object) -> None:
    """Write one line of the answer, at once: the parent counts the seconds between lines."""
    out.write(json.dumps(line).encode() + b"\n")
    out.flush()


def measure(width: float, height: float) -> tuple[int, int, int, int]:
    """Return a page's size in units and the size in pixels to draw it at; points in. Raises Refused."""
    short, long = sorted((width, height))
    if not (short >= MIN_POINTS and long <= min(MAX_POINTS, MAX_RATIO * short)):
        raise Refused("bad_file")
    ratio = height / width
    columns = min(UNITS, int((MAX_PIXELS / ratio) ** 0.5))
    return UNITS, max(1, round(UNITS * ratio)), columns, max(1, round(columns * ratio))


def convert(pdf: Any, out: BinaryIO, max_pages: int, text: int, skip: list[int]) -> None:
    """Answer with every page of the open document that is wanted. Raises Refused."""
    import pypdfium2 as pdfium

    if not 0 < len(pdf) <= max_pages:
        raise Refused("too_many_pages" if len(pdf) else "bad_file")
    say(out, pages=len(pdf))
    for number in sorted({*range(1, len(pdf) + 1)} - {*skip}):
        try:
            line, images = rasterize(pdf[number - 1], text)
        except Refused as refused:
            say(out, number=number, error=refused.args[0])
        except (pdfium.PdfiumError, MemoryError):
            say(out, number=number, error="bad_file")
        else:
            say(out, number=number, **line)
            out.writelines(images)
            out.flush()


def rasterize(page: Any, text: int) -> tuple[dict[str, Any], list[bytes]]:
    """Return what the answer says of a page, but for its number, and its images. Raises Refused."""
    try:
        width, height, columns, rows = measure(*page.get_size())
        refuse_bombs(page)
        images = encode(draw(page, columns, rows))
        words = read_text(page, text)
    finally:
        page.close()
    return {"width": width, "height": height, "text": words, "sizes": [len(image) for image in images]}, images


def refuse_bombs(page: Any) -> None:
    """Refuse a page that carries a picture of absurd size: pdfium would draw it blank for want of memory, silently."""
    import pypdfium2.raw as raw

    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=4):
        width, height = item.get_px_size()
        if width * height > MAX_IMAGE_PIXELS:
            raise Refused("bad_file")


def draw(page: Any, columns: int, rows: int) -> Any:
    """Return the page as a Pillow image of exactly this many pixels."""
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    bitmap = pdfium.PdfBitmap.new_native(columns, rows, raw.FPDFBitmap_BGR, rev_byteorder=True)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, columns, rows)
    raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, columns, rows, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER)
    return bitmap.to_pil()


def encode(picture: Any) -> list[bytes]:
    """Return the picture as WebP, once for each of WIDTHS. Method 2 is the knee: 4 takes 2.5 times as long for 2 %."""
    from PIL import Image

    images = []
    for width in WIDTHS:
        share = width / UNITS
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        scaled = picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
        file = io.BytesIO()
        scaled.save(file, "WEBP", quality=80, method=2)
        images.append(file.getvalue())
    return images


def read_text(page: Any, most: int) -> str:
    """Return the first characters of the page's text; a page without readable text has an empty one."""
    textpage = page.get_textpage()
    try:
        return str(textpage.get_text_range(0, min(most, textpage.count_chars())))
    finally:
        textpage.close()


def main(memory: int, cpu: int, max_pages: int, text: int, skip: list[int]) -> None:
    """Convert standard input under the given limits."""
    confine(memory, cpu)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints stays out of the answer
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        pdf = pdfium.PdfDocument(sys.stdin.buffer.read())
        convert(pdf, out, max_pages, text, skip)
        say(out, done=True)
    except Refused as refused:
        say(out, error=refused.args[0])
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        say(out, error="file_encrypted" if locked else "bad_file")
    os._exit(0)  # no finalizer of a half-broken document runs


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
