"""Headscale on a port and tailscaled on a socket, from a recording, until it is ended.

    fake_neighbours.py RECORDING PORT SOCKET KEY [ADDRESS]      answers Headscale's API only to the bearer of KEY
"""
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from fake_upstreams import HEADSCALE, TAILSCALE, Upstream  # noqa: E402

recording, port, socket, key = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
node = sorted((recording / "tailscale").iterdir())[0]
headscale = Upstream("headscale", [recording / "headscale"], HEADSCALE, port=port, address=(sys.argv[5:] or ["127.0.0.1"])[0])


def let_in_with_the_key(handler, path):
    if path == "/health" or handler.headers.get("Authorization") == f"Bearer {key}":
        return False
    handler.reply(401, "text/plain", b"Unauthorized")
    return True


headscale.behaviour = let_in_with_the_key
tailscale = Upstream("tailscale", [node], TAILSCALE, socket)
os.chmod(socket, 0o666)  # as tailscaled does
print("answering", flush=True)
signal.pause()
