"""Makes what Chromium's fake camera and microphone play: the street clip with a running clock burnt into it.

    python3 make_fake_camera.py FOLDER [--format mjpeg|y4m] [--size 1280x720]

writes FOLDER/camera.mjpeg (or camera.y4m) and FOLDER/microphone.wav. The clock counts the clip's own milliseconds, so a
viewer can tell that frames arrive in order and which are missing. The delay cannot be told from it, since the browser
decides when it starts to play: clock.js burns in the time of day for that.
"""

import argparse
import pathlib
import subprocess

import av

import burnt_clock

CLIP = pathlib.Path(__file__).resolve().parents[2] / "fixtures/media/street.webm"


def make_camera(folder: pathlib.Path, form: str = "mjpeg", size: tuple[int, int] = (1280, 720)) -> pathlib.Path:
    """Writes the moving picture; y4m is exact and huge, mjpeg small and nearly exact."""
    target = folder / f"camera.{form}"
    width, height = size
    with av.open(str(CLIP)) as source, av.open(str(target), "w", format="yuv4mpegpipe" if form == "y4m" else "mjpeg") as sink:
        stream = sink.add_stream("wrapped_avframe" if form == "y4m" else "mjpeg", rate=30)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p" if form == "y4m" else "yuvj420p"
        if form == "mjpeg":
            stream.options = {"qmin": "2", "qmax": "4"}
        for index, frame in enumerate(source.decode(video=0)):
            sink.mux(stream.encode(with_clock(frame, width, height, index * 1000 // 30)))
        sink.mux(stream.encode(None))
    return target


def with_clock(frame: av.VideoFrame, width: int, height: int, milliseconds: int) -> av.VideoFrame:
    planes = frame.reformat(width, height, "yuv420p").to_ndarray()
    burnt_clock.draw(planes[:height], milliseconds)
    for chroma in (height, height * 5 // 4):  # packed below the luma plane: U, then V
        planes[chroma : chroma + height // 4 // burnt_clock.ROWS] = 128
    burnt = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    burnt.pts = None
    return burnt


def make_microphone(folder: pathlib.Path) -> pathlib.Path:
    """Writes the clip's sound as 16-bit PCM."""
    target = folder / "microphone.wav"
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(CLIP), "-vn", "-ac", "2", "-ar", "48000", str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--format", choices=["mjpeg", "y4m"], default="mjpeg")
    parser.add_argument("--size", default="1280x720")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in arguments.size.split("x"))
    print(make_camera(arguments.folder, arguments.format, (width, height)))
    print(make_microphone(arguments.folder))


if __name__ == "__main__":
    main()
