#!/usr/bin/env python3
"""Prints what the headers of OSGi in a jar say, a line each, and how the jar differs from them.

Packages that the jar uses are those that jdeps finds in its classes. A framework gives those of java.* to each bundle.
"""

import re
import subprocess
import sys
from zipfile import ZipFile

# A class without its annotations works.
NEVER_LOADED = {"org.jspecify.annotations"}


def headers(text):
    """The main headers of a manifest, with their continuation lines joined."""
    lines = text.replace("\r\n", "\n").replace("\n ", "").split("\n\n")[0].splitlines()
    return dict(line.split(": ", 1) for line in lines)


def clauses(header):
    """The clauses of a header: the paths, and the parameters by their names."""
    for clause in re.findall(r'(?:[^,"]|"[^"]*")+', header):
        parts = [part.strip() for part in re.findall(r'(?:[^;"]|"[^"]*")+', clause)]
        parameters = dict(re.fullmatch(r'([^:=]+):?="?([^"]*)"?', part).groups() for part in parts if "=" in part)
        for path in parts:
            if "=" not in path:
                yield path, parameters


def said(parameters, *names):
    return "".join(f" {parameters[name]}" for name in names if name in parameters)


def main(file):
    with ZipFile(file) as jar:
        manifest = headers(jar.read("META-INF/MANIFEST.MF").decode())
        packages = {name.rpartition("/")[0].replace("/", ".") for name in jar.namelist() if name.endswith(".class")} - {""}
        services = {(name.rpartition("/")[2], line) for name in jar.namelist()
                    if re.fullmatch("META-INF/services/.+", name) for line in jar.read(name).decode().split()}
    found = subprocess.run(["jdeps", "--multi-release", "base", "-verbose:package", file], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    used = {package for package in re.findall(r"^ +\S+ +-> (\S+)", found, re.MULTILINE)
            if not package.startswith("java.")} - packages - NEVER_LOADED
    imports = dict(clauses(manifest["Import-Package"]))
    exports = dict(clauses(manifest["Export-Package"]))
    provided = {(one["osgi.serviceloader"], one["register"])
                for _, one in clauses(manifest.get("Provide-Capability", ""))}
    print("bundle", manifest["Bundle-SymbolicName"], manifest["Bundle-Version"])
    for word, of in (("exports", exports), ("imports", imports)):
        for package in sorted(of):
            print(f"{word} {package}{said(of[package], 'version', 'resolution')}")
    for service, register in sorted(provided):
        print("provides", service, register)
    for name, one in sorted(clauses(manifest["Require-Capability"]), key=str):
        print(f"requires {name}{said(one, 'filter', 'resolution')}")
    for word, difference in (
            ("imported, and not used:", set(imports) - used),
            ("used, and not imported:", used - set(imports)),
            ("exported, and not there:", set(exports) - packages),
            ("provided or in META-INF/services alone:", provided ^ services)):
        for one in sorted(difference):
            print(word, one)


main(sys.argv[1])
