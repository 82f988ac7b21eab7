"""Holds a running console against its own OpenAPI document, with schemathesis.

Starts `muster serve` with an empty folder, sets it up, fetches /api/openapi.json and sends it what the document permits and what it does
not: no answer may be a fault of the console (5xx), of a status or content type that the document does not name, or of another shape than
it says. That all that fits a schema is taken is not asked: an end before its beginning, more canaries than hosts, cannot be said in one.
Ends with schemathesis' own exit status.

Left out: streams, which do not end, and signing out, which would end the session. 502 and 504 are what a worker or GitHub that does not
answer looks like: a request of the fuzzer may well name such a one.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

CONFIG = """
[generation]
with-security-parameters = false

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 502, 504]
"""

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
]

# One after the other: what is found can be found again.
WORKERS = "1"


def start(program: str, data: Path) -> tuple[subprocess.Popen, str, str]:
    """The process, its address and the token of its setup link."""
    console = subprocess.Popen(
        [program, "serve", "--listen", "127.0.0.1:0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=open(data / "log", "w", encoding="utf-8"),
        env={**os.environ, "RUST_LOG": "warn"},
        text=True,
    )
    url = console.stdout.readline().removeprefix("Muster is at ").strip()
    link = console.stdout.readline().removeprefix("Set it up at ").split(" ")[0]
    if not url or "/setup/" not in link:
        sys.exit(f"the console did not start:\n{(data / 'log').read_text()}")
    return console, url, link.rsplit("/", 1)[1]


def sign_in(url: str, token: str) -> str:
    """Creates the administrator; the session's cookie."""
    form = {"token": token, "name": "Ada", "email": "a@b.example", "password": "a long enough passphrase"}
    answer = requests.post(f"{url}/do/set-up", data=form, allow_redirects=False, timeout=60)
    return answer.headers["set-cookie"].split(";")[0]


def end_workers(data: Path) -> None:
    """Local workers outlive their console: those of this folder end here."""
    wanted = f"MUSTER_DATA_DIR={data.resolve()}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            pass


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--examples", default="8", help="cases of each operation, beside those that cover its document")
    parser.add_argument("--seed", default="1")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="muster-openapi-") as folder:
        data = Path(folder)
        console, url, token = start(args.program, data)
        try:
            cookie = sign_in(url, token)
            document = requests.get(f"{url}/api/openapi.json", headers={"Cookie": cookie}, timeout=60)
            document.raise_for_status()
            described, config = data / "openapi.json", data / "schemathesis.toml"
            described.write_text(json.dumps(document.json()), encoding="utf-8")
            config.write_text(CONFIG, encoding="utf-8")
            print(f"seed {args.seed}", flush=True)
            fuzz = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", described]
            fuzz += ["--url", url, "--header", f"Cookie: {cookie}", "--checks", ",".join(CHECKS)]
            fuzz += ["--seed", args.seed, "--max-examples", args.examples, "--phases", "examples,coverage,fuzzing"]
            fuzz += ["--exclude-path-regex", r"^/api/(sync|watch|agent|events/stream|v1/events/stream)$|^/api/events$"]
            fuzz += ["--exclude-operation-id", "delete_session", "--workers", WORKERS, "--request-timeout", "40"]
            fuzz += ["--warnings", "off", "--continue-on-failure", "--no-color"]
            status = subprocess.run(fuzz, stdin=subprocess.DEVNULL, check=False).returncode
            if console.poll() is not None:
                print(f"the console ended with {console.returncode}")
                status = 1
            log = (data / "log").read_text(encoding="utf-8")
            faults = [line for line in log.splitlines() if " ERROR " in line or "panicked" in line]
            if faults:
                print("the console's log has:", *faults[:20], sep="\n")
                status = 1
            return status
        finally:
            console.terminate()
            try:
                console.wait(timeout=30)
            except subprocess.TimeoutExpired:
                console.kill()
            end_workers(data)


if __name__ == "__main__":
    sys.exit(main())
