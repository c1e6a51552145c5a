#!/usr/bin/env python3
"""Writes the notices for libraries of Rust that are given to others.

    packaging/notices.py FILE --package NAME... --target TRIPLE... [--workspace FOLDER] [--local]

FILE lists the crates that the packages link on any of the targets, and the standard library. Below them it has the texts
of their licences, each once. The texts come from the sources of the crates and from the toolchain, so none is kept here.

A crate without a text is an error, unless it can be used under Apache-2.0. The text of that licence names no owner, and
is that of this project. A toolchain without the notice of the standard library is an error too, unless the libraries
are for this machine (--local): distributions have that notice in a package of their own.
"""

import argparse
import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)([-_.].*)?", re.IGNORECASE)
# Files of these folders are not compiled into a library.
OUTSIDE = {"tests", "benches", "examples"}
SOURCES = {".rs", ".c", ".h", ".py"}
RULE = "=" * 80


def said(workspace, *command):
    return subprocess.run(command, cwd=workspace, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked(workspace, packages, targets):
    """The names and versions of the crates of others that the packages link."""
    found = set()
    for package in packages:
        for target in targets:
            lines = said(workspace, "cargo", "tree", "--locked", "--package", package, "--target", target,
                         "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}")
            # Packages of the workspace have their folder behind the version.
            found |= {tuple(words) for words in map(str.split, lines.replace(" (*)", "").splitlines()) if len(words) == 2}
    return sorted(found)


def texts_of(folder):
    """The texts of licences in the sources of a crate."""
    found = []
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - OUTSIDE)
        for name in sorted(files):
            if TEXT.fullmatch(name) and Path(name).suffix not in SOURCES:
                found.append((Path(path) / name).read_text(encoding="utf-8").strip())
    return found


def is_apache(expression):
    """True if Apache-2.0 alone is one of the choices."""
    choices = re.split(r"\s+OR\s+|/", expression or "")
    return "AND" not in (expression or "") and "Apache-2.0" in choices


def standard_library(local):
    """The notice of the standard library of the toolchain, as a text."""
    page = Path(said(None, "rustc", "--print", "sysroot").strip()) / "share/doc/rust/COPYRIGHT-library.html"
    if local and not page.exists():
        return "The notice is in the documentation of the Rust compiler of this machine."
    if not page.exists():
        sys.exit(f"the toolchain has no {page}, with the licences of the standard library; use one of rustup")
    text = re.sub(r"<(head|style)>.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return re.sub(r"[ \t]*\n(\s*\n)+", "\n\n", text).strip()


def notices(workspace, packages, targets, local):
    filters = [word for target in targets for word in ("--filter-platform", target)]
    metadata = json.loads(said(workspace, "cargo", "metadata", "--locked", "--format-version", "1", *filters))
    known = {(each["name"], "v" + each["version"]): each for each in metadata["packages"]}
    apache = (ROOT / "LICENSE-APACHE").read_text(encoding="utf-8").strip()
    names, covered, silent = [], {}, []
    for crate in linked(workspace, packages, targets):
        name, licence = f"{crate[0]} {crate[1][1:]}", known[crate]["license"]
        texts = texts_of(Path(known[crate]["manifest_path"]).parent)
        if not texts and is_apache(licence):
            texts = [apache]
        if not texts:
            silent.append(f"{name} ({licence})")
        names.append(f"{name} ({licence})")
        for text in texts:
            # One text, however its lines are broken.
            covered.setdefault(" ".join(text.split()), (text, []))[1].append(name)
    if silent:
        sys.exit("no text of a licence in the sources of " + ", ".join(silent))
    rust = said(None, "rustc", "--version").split()[1]
    parts = ["What is compiled here holds software of others. Each licence stands below the names that it covers.",
             "\n".join(names + [f"Rust standard library {rust} (MIT OR Apache-2.0)"])]
    for text, of in covered.values():
        parts.append("\n".join([RULE, *dict.fromkeys(of), RULE]) + "\n\n" + text)
    parts.append("\n".join([RULE, f"Rust standard library {rust}", RULE]) + "\n\n" + standard_library(local))
    return "\n\n".join(parts) + "\n"


def main():
    arguments = argparse.ArgumentParser(description="Writes the notices for libraries of Rust.")
    arguments.add_argument("file", type=Path)
    arguments.add_argument("--package", action="append", required=True)
    arguments.add_argument("--target", action="append", required=True)
    arguments.add_argument("--workspace", type=Path, default=ROOT)
    arguments.add_argument("--local", action="store_true")
    given = arguments.parse_args()
    text = notices(given.workspace, given.package, given.target, given.local)
    given.file.parent.mkdir(parents=True, exist_ok=True)
    given.file.write_text(text, encoding="utf-8")


main()
