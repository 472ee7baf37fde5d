#!/usr/bin/env python3
"""A strict stand-in for a Weights & Biases server.  Python standard library only.

    mock_server.py --root OUT [--port 8765] [fault flags]
    mock_server.py --selftest

It listens on 127.0.0.1, speaks the three parts of the W&B run protocol
(POST /graphql, POST /files/ENTITY/PROJECT/RUN/file_stream, PUT to the upload
addresses it hands out), keeps every run under OUT, and holds the client to the
protocol described in protocol.md.

Findings have three grades:

  rejected   answered with a 4xx and not applied
  violation  applied, because a real server would, yet the client is wrong
  warning    unusual; does not make the report fail

Point a client at it with WANDB_BASE_URL=http://127.0.0.1:PORT and any API key
of 40 letters and digits.

What it writes
  OUT/requests.jsonl                    one line a request, secrets masked
  OUT/report.json                       the report, rewritten at every finding
                                        and when the server stops
  OUT/runs/ENTITY/PROJECT/RUN/
      run.json                          identity, state, exit code, counters
      config.json  summary.json
      history.jsonl  events.jsonl  output.log
      files/...                         uploaded files at their own paths

Control addresses (no key needed, never counted, never made to fail)
  GET  /__mock__/report                 the report as JSON
  POST /__mock__/faults                 JSON object that replaces fault settings,
                                        e.g. {"fail_every": 3, "fail_status": [500, 429]}
  POST /__mock__/shutdown               stop the server

The exit status is 0 when nothing was rejected and nothing was violated, else 1.
"""
import argparse
import base64
import binascii
import gzip
import hashlib
import http.client
import json
import math
import os
import re
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

HISTORY = "wandb-history.jsonl"
EVENTS = "wandb-events.jsonl"
SUMMARY = "wandb-summary.json"
OUTPUT = "output.log"
STREAM_FILES = (HISTORY, EVENTS, SUMMARY, OUTPUT)

MAX_LINE = (10 << 20) - (100 << 10)     # longest line the backend takes
MAX_BODY = 32 << 20                     # well above the 10 MiB a client packs
MAX_UPLOAD = 256 << 20

STREAM_KEYS = {"files", "uploaded", "preempting", "complete", "exitcode",
               "dropped", "failed"}     # the last two: older clients
KNOWN_UNDERSCORE = {"_step", "_runtime", "_timestamp", "_wandb"}
CONSOLE_RE = re.compile(r"^(ERROR )?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?( .*)?$", re.S)
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}


class Reject(Exception):
    """The request is malformed; answer with `status` and record `code`."""

    def __init__(self, status, code, reason):
        super().__init__(reason)
        self.status, self.code, self.reason = status, code, reason


# --------------------------------------------------------------------------
# GraphQL: just enough of the language to check documents and answer them.

TOKEN_RE = re.compile(
    r'(?P<skip>[\s,\ufeff]+|\#[^\n]*)'
    r'|(?P<block>"""(?:[^"]|"(?!""))*""")'
    r'|(?P<str>"(?:[^"\\\n]|\\.)*")'
    r'|(?P<num>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
    r'|(?P<name>[_A-Za-z]\w*)'
    r'|(?P<punct>\.\.\.|[!$()\[\]{}:=@|&])')


def tokenize(src):
    out, pos = [], 0
    while pos < len(src):
        m = TOKEN_RE.match(src, pos)
        if not m:
            raise Reject(400, "graphql-syntax", f"unexpected character {src[pos]!r} in GraphQL document")
        pos = m.end()
        if m.lastgroup != "skip":
            out.append((m.lastgroup, m.group()))
    out.append(("end", ""))
    return out


class Parser:
    def __init__(self, src):
        self.t, self.i = tokenize(src), 0

    def peek(self):
        return self.t[self.i][1] if self.t[self.i][0] not in ("str", "block") else None

    def take(self, text=None):
        kind, value = self.t[self.i]
        if text is not None and value != text:
            raise Reject(400, "graphql-syntax", f"expected {text!r}, found {value or 'end of document'!r}")
        self.i += 1
        return kind, value

    def name(self):
        kind, value = self.take()
        if kind != "name":
            raise Reject(400, "graphql-syntax", f"expected a name, found {value!r}")
        return value

    def document(self):
        ops, frags = [], {}
        while self.t[self.i][0] != "end":
            if self.peek() == "{":
                ops.append({"kind": "query", "name": None, "vars": {}, "sel": self.selections()})
                continue
            word = self.name()
            if word in ("query", "mutation", "subscription"):
                name = self.name() if self.t[self.i][0] == "name" else None
                variables = {}
                if self.peek() == "(":
                    self.take("(")
                    while self.peek() != ")":
                        self.take("$")
                        var = self.name()
                        self.take(":")
                        typ, default = self.type(), None
                        if self.peek() == "=":
                            self.take("=")
                            default = self.value()
                        variables[var] = (typ, default)
                    self.take(")")
                self.directives()
                ops.append({"kind": word, "name": name, "vars": variables, "sel": self.selections()})
            elif word == "fragment":
                name = self.name()
                self.take("on")
                on = self.name()
                self.directives()
                frags[name] = (on, self.selections())
            else:
                raise Reject(400, "graphql-syntax", f"unexpected {word!r} in GraphQL document")
        if not ops:
            raise Reject(400, "graphql-syntax", "GraphQL document holds no operation")
        return ops, frags

    def type(self):
        if self.peek() == "[":
            self.take("[")
            t = "[" + self.type() + "]"
            self.take("]")
        else:
            t = self.name()
        if self.peek() == "!":
            self.take("!")
            t += "!"
        return t

    def directives(self):
        while self.peek() == "@":
            self.take("@")
            self.name()
            if self.peek() == "(":
                self.args()

    def args(self):
        out = {}
        self.take("(")
        while self.peek() != ")":
            n = self.name()
            self.take(":")
            out[n] = self.value()
        self.take(")")
        return out

    def value(self):
        kind, v = self.take()
        if v == "$" and kind == "punct":
            return ("var", self.name())
        if kind == "str":
            return ("lit", json.loads(v))
        if kind == "block":
            return ("lit", v[3:-3])
        if kind == "num":
            return ("lit", json.loads(v))
        if v == "[":
            items = []
            while self.peek() != "]":
                items.append(self.value())
            self.take("]")
            return ("list", items)
        if v == "{":
            obj = {}
            while self.peek() != "}":
                n = self.name()
                self.take(":")
                obj[n] = self.value()
            self.take("}")
            return ("obj", obj)
        if kind == "name":
            return ("lit", {"true": True, "false": False, "null": None}.get(v, v))
        raise Reject(400, "graphql-syntax", f"unexpected {v!r} where a value belongs")

    def selections(self):
        self.take("{")
        out = []
        while self.peek() != "}":
            if self.peek() == "...":
                self.take("...")
                if self.peek() == "on" or self.peek() in ("{", "@"):
                    on = None
                    if self.peek() == "on":
                        self.take("on")
                        on = self.name()
                    self.directives()
                    out.append(("inline", on, self.selections()))
                else:
                    out.append(("spread", self.name()))
                    self.directives()
                continue
            first = self.name()
            alias, fname = first, first
            if self.peek() == ":":
                self.take(":")
                fname = self.name()
            args = self.args() if self.peek() == "(" else {}
            self.directives()
            sel = self.selections() if self.peek() == "{" else None
            out.append(("field", alias, fname, args, sel))
        self.take("}")
        if not out:
            raise Reject(400, "graphql-syntax", "empty selection set")
        return out


# type name -> field -> (result type, arguments); None marks a scalar result.
SCALAR = (None, {})
TYPES = {
    "Query": {
        "viewer": ("User", {}),
        "serverInfo": ("ServerInfo", {}),
        "model": ("Project", {"name": "String", "entityName": "String"}),
        "project": ("Project", {"name": "String", "entityName": "String"}),
        "entity": ("Entity", {"name": "String"}),
    },
    "Mutation": {
        "upsertBucket": ("UpsertBucketPayload", {"input": "UpsertBucketInput!"}),
        "createRunFiles": ("CreateRunFilesPayload", {"input": "CreateRunFilesInput!"}),
        "markRunFilesUploaded": ("SuccessPayload", {"input": "MarkRunFilesUploadedInput!"}),
    },
    "User": {k: SCALAR for k in ("id", "entity", "username", "email", "flags", "admin", "name")}
    | {"teams": ("EntityConnection", {})},
    "EntityConnection": {"edges": ("EntityEdge", {})},
    "EntityEdge": {"node": ("Entity", {})},
    "Entity": {"id": SCALAR, "name": SCALAR, "organization": ("Organization", {})},
    "Organization": {k: SCALAR for k in ("id", "name", "coreWeaveOrganizationId")},
    "ServerInfo": {"features": ("ServerFeature", {}), "cliVersionInfo": SCALAR,
                   "latestLocalVersionInfo": ("LocalVersionInfo", {})},
    "ServerFeature": {"name": SCALAR, "isEnabled": SCALAR},
    "LocalVersionInfo": {k: SCALAR for k in ("outOfDate", "latestVersionString",
                                             "versionOnThisInstanceString")},
    "Project": {"id": SCALAR, "name": SCALAR, "entityName": SCALAR, "entity": ("Entity", {}),
                "bucket": ("Run", {"name": "String!", "missingOk": "Boolean"}),
                "run": ("Run", {"name": "String!"})},
    "Run": {k: SCALAR for k in (
        "id", "name", "displayName", "description", "config", "sweepName", "summaryMetrics",
        "historyLineCount", "eventsLineCount", "logLineCount", "historyTail", "eventsTail",
        "tags", "notes", "group", "jobType", "state", "stopped", "host", "commit", "createdAt",
        "heartbeatAt")}
    | {"project": ("Project", {}), "wandbConfig": (None, {"keys": "[String!]"})},
    "UpsertBucketPayload": {"bucket": ("Run", {}), "inserted": SCALAR},
    "CreateRunFilesPayload": {"runID": SCALAR, "uploadHeaders": SCALAR, "files": ("FileUpload", {})},
    "FileUpload": {"name": SCALAR, "uploadUrl": SCALAR},
    "SuccessPayload": {"success": SCALAR},
}
INPUTS = {
    "UpsertBucketInput": {
        "id": "String", "name": "String", "groupName": "String", "modelName": "String",
        "entityName": "String", "description": "String", "displayName": "String",
        "notes": "String", "config": "JSONString", "commit": "String", "host": "String",
        "debug": "Boolean", "jobProgram": "String", "jobRepo": "String", "jobType": "String",
        "state": "String", "sweep": "String", "tags": "[String!]",
        "summaryMetrics": "JSONString", "clientMutationId": "String"},
    "CreateRunFilesInput": {"entityName": "String!", "projectName": "String!",
                            "runName": "String!", "files": "[String!]!",
                            "clientMutationId": "String"},
    "MarkRunFilesUploadedInput": {"entityName": "String!", "projectName": "String!",
                                  "runName": "String!", "files": "[String!]!",
                                  "clientMutationId": "String"},
}


def coerce(value, typ, where):
    """Checks one JSON value against a GraphQL type."""
    if typ.endswith("!"):
        if value is None:
            raise Reject(400, "graphql-variable", f"{where}: null for {typ}")
        typ = typ[:-1]
    if value is None:
        return None
    if typ.startswith("["):
        if not isinstance(value, list):
            raise Reject(400, "graphql-variable", f"{where}: {type(value).__name__} for {typ}")
        return [coerce(v, typ[1:-1], f"{where}[{i}]") for i, v in enumerate(value)]
    ok = {"String": isinstance(value, str), "ID": isinstance(value, (str, int)) and not isinstance(value, bool),
          "Boolean": isinstance(value, bool),
          "Int": isinstance(value, int) and not isinstance(value, bool),
          "Float": isinstance(value, (int, float)) and not isinstance(value, bool)}.get(typ)
    if typ == "JSONString":
        ok = isinstance(value, str)
        if ok:
            try:
                json.loads(value)
            except ValueError:
                raise Reject(400, "graphql-variable", f"{where}: JSONString does not hold JSON")
    if ok is False:
        raise Reject(400, "graphql-variable", f"{where}: {type(value).__name__} for {typ}")
    return value


def fits(var_type, place_type):
    """Whether a variable of one type may stand where another is wanted."""
    if place_type.endswith("!"):
        return var_type.endswith("!") and fits(var_type[:-1], place_type[:-1])
    v = var_type[:-1] if var_type.endswith("!") else var_type
    if place_type.startswith("["):
        return v.startswith("[") and fits(v[1:-1], place_type[1:-1])
    return v == place_type


class Query:
    """One checked GraphQL request, ready to be answered."""

    def __init__(self, request):
        if not isinstance(request, dict):
            raise Reject(400, "graphql-body", "body is not a JSON object")
        extra = set(request) - {"query", "variables", "operationName", "extensions"}
        if extra:
            raise Reject(400, "graphql-body", f"unknown members in body: {sorted(extra)}")
        if not isinstance(request.get("query"), str):
            raise Reject(400, "graphql-body", "member 'query' is not a string")
        variables = request.get("variables")
        if variables is None:
            variables = {}
        if not isinstance(variables, dict):
            raise Reject(400, "graphql-body", "member 'variables' is not an object")
        ops, self.frags = Parser(request["query"]).document()
        wanted = request.get("operationName")
        if wanted is not None and not isinstance(wanted, str):
            raise Reject(400, "graphql-body", "member 'operationName' is not a string")
        if wanted:
            ops = [o for o in ops if o["name"] == wanted]
            if not ops:
                raise Reject(400, "graphql-body", f"operationName {wanted!r} is not in the document")
        elif len(ops) > 1:
            raise Reject(400, "graphql-body", "several operations and no operationName")
        self.op = ops[0]
        self.name = self.op["name"] or ""
        self.root = {"query": "Query", "mutation": "Mutation"}.get(self.op["kind"])
        if not self.root:
            raise Reject(400, "graphql-body", "subscriptions are not supported")
        self.fields = [f for f in self.flat(self.op["sel"])]
        self.unsupported = [f[2] for f in self.fields
                            if f[2] not in TYPES[self.root] and f[2] != "__typename"]
        if self.unsupported:
            return
        self.used = set()
        self.check(self.op["sel"], self.root)
        unused = set(self.op["vars"]) - self.used
        if unused:
            raise Reject(400, "graphql-validation", f"variables declared and never used: {sorted(unused)}")
        self.vars = {}
        for name, (typ, default) in self.op["vars"].items():
            if name in variables:
                self.vars[name] = coerce(variables[name], typ, f"${name}")
            elif default is not None:
                self.vars[name] = default[1]
            else:
                self.vars[name] = coerce(None, typ, f"${name}")

    def flat(self, sel, depth=0):
        if depth > 20:
            raise Reject(400, "graphql-validation", "fragments nest too deep")
        for s in sel:
            if s[0] == "field":
                yield s
            elif s[0] == "inline":
                yield from self.flat(s[2], depth + 1)
            else:
                if s[1] not in self.frags:
                    raise Reject(400, "graphql-validation", f"unknown fragment {s[1]!r}")
                yield from self.flat(self.frags[s[1]][1], depth + 1)

    def check(self, sel, typename):
        for _, _, fname, args, sub in self.flat(sel):
            if fname == "__typename":
                continue
            if fname not in TYPES[typename]:
                raise Reject(400, "graphql-validation", f'Cannot query field "{fname}" on type "{typename}".')
            result, declared = TYPES[typename][fname]
            for a, node in args.items():
                if a not in declared:
                    raise Reject(400, "graphql-validation", f'Unknown argument "{a}" on field "{fname}".')
                self.check_value(node, declared[a], f"{fname}({a})")
            for a, t in declared.items():
                if t.endswith("!") and a not in args:
                    raise Reject(400, "graphql-validation", f'Field "{fname}" needs argument "{a}".')
            if result and sub is None:
                raise Reject(400, "graphql-validation", f'Field "{fname}" needs a selection of subfields.')
            if not result and sub is not None:
                raise Reject(400, "graphql-validation", f'Field "{fname}" has no subfields.')
            if result:
                self.check(sub, result)

    def check_value(self, node, typ, where):
        kind, v = node
        base = typ.rstrip("!")
        if kind == "var":
            if v not in self.op["vars"]:
                raise Reject(400, "graphql-validation", f"variable ${v} is not declared")
            self.used.add(v)
            var_type = self.op["vars"][v][0]
            if not fits(var_type, typ) and not fits(var_type, base):
                raise Reject(400, "graphql-validation",
                             f"variable ${v} of type {var_type} at {where}, which wants {typ}")
        elif kind == "obj":
            if base not in INPUTS:
                raise Reject(400, "graphql-validation", f"object at {where}, which wants {typ}")
            for k, n in v.items():
                if k not in INPUTS[base]:
                    raise Reject(400, "graphql-validation", f'Unknown field "{k}" in {base}.')
                self.check_value(n, INPUTS[base][k], f"{base}.{k}")
            for k, t in INPUTS[base].items():
                if t.endswith("!") and k not in v:
                    raise Reject(400, "graphql-validation", f'{base} needs field "{k}".')
        elif kind == "list":
            if not base.startswith("["):
                raise Reject(400, "graphql-validation", f"list at {where}, which wants {typ}")
            for n in v:
                self.check_value(n, base[1:-1], where)
        else:
            coerce(v, typ, where)

    def resolve_value(self, node):
        kind, v = node
        if kind == "var":
            return self.vars.get(v)
        if kind == "obj":
            return {k: self.resolve_value(n) for k, n in v.items()}
        if kind == "list":
            return [self.resolve_value(n) for n in v]
        return v

    def answer(self, root):
        return self.project(self.op["sel"], self.root, root)

    def project(self, sel, typename, value):
        """Keeps the selected fields only, so that a client misses what it did not ask for."""
        if value is None:
            return None
        if isinstance(value, list):
            return [self.project(sel, typename, v) for v in value]
        out = {}
        for _, alias, fname, args, sub in self.flat(sel):
            if fname == "__typename":
                out[alias] = typename
                continue
            v = value.get(fname)
            if callable(v):
                v = v(**{a: self.resolve_value(n) for a, n in args.items()})
            result = TYPES[typename][fname][0]
            out[alias] = self.project(sub, result, v) if result else v
        return out


# --------------------------------------------------------------------------
# Checks of the data a client sends.

def is_int(v):
    return isinstance(v, int) and not isinstance(v, bool)


def is_num(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool)


def row_object(line, where):
    """Reads one JSON line.  NaN, Infinity and -Infinity are allowed, as on the real wire."""
    try:
        row = json.loads(line)
    except ValueError as e:
        raise Reject(400, "row-json", f"{where}: not JSON ({e})")
    if not isinstance(row, dict):
        raise Reject(400, "row-json", f"{where}: not a JSON object")
    return row


def canonical(value):
    """The same text for equal JSON values, whatever the order of their members."""
    return json.dumps(value, sort_keys=True)


def same_row(a, b):
    if a == b:
        return True
    try:
        return canonical(json.loads(a)) == canonical(json.loads(b))
    except ValueError:
        return False


def check_clock(row, where):
    for key in ("_timestamp", "_runtime"):
        if not is_num(row.get(key)) or not math.isfinite(row[key]):
            raise Reject(400, "row-clock", f"{where}: {key} is missing or not a number")
    if not 1e9 < row["_timestamp"] < 1e11:
        raise Reject(400, "row-clock", f"{where}: _timestamp {row['_timestamp']} is not in seconds since 1970")
    if row["_runtime"] < 0:
        raise Reject(400, "row-clock", f"{where}: _runtime is negative")


def check_path(path, where):
    if (not isinstance(path, str) or not path or path.startswith("/") or "\\" in path
            or any(p in ("", ".", "..") for p in path.split("/"))):
        raise Reject(400, "file-name", f"{where}: {path!r} is not a relative path with forward slashes")


def find_media(value, where, found, warn):
    """Collects and checks every media value in a history row or summary."""
    if isinstance(value, list):
        for i, v in enumerate(value):
            find_media(v, f"{where}[{i}]", found, warn)
        return
    if not isinstance(value, dict):
        return
    kind = value.get("_type")
    if kind is None:
        for k, v in value.items():
            find_media(v, f"{where}.{k}" if where else k, found, warn)
        return

    def want(cond, text):
        if not cond:
            raise Reject(400, "media-shape", f"{where}: {kind}: {text}")

    def want_image_path(p, label):
        check_path(p, f"{where}: {label}")
        want(p.startswith("media/images/"), f"{label} {p!r} is outside media/images/")

    if kind == "image-file":
        want_image_path(value.get("path"), "path")
        want(isinstance(value.get("sha256"), str) and re.fullmatch(r"[0-9a-f]{64}", value["sha256"]),
             "sha256 is not 64 hex digits")
        want(is_int(value.get("size")) and value["size"] > 0, "size is not a positive integer")
        want(isinstance(value.get("format"), str) and value["format"], "format is missing")
        for k in ("width", "height"):
            want(is_int(value.get(k)) and value[k] > 0, f"{k} is not a positive integer")
        if "caption" in value:
            want(isinstance(value["caption"], str), "caption is not a string")
        found.append({"path": value["path"], "sha256": value["sha256"], "size": value["size"],
                      "width": value["width"], "height": value["height"], "format": value["format"]})
    elif kind == "images/separated":
        want(is_int(value.get("count")) and value["count"] > 0, "count is not a positive integer")
        want(isinstance(value.get("format"), str) and value["format"], "format is missing")
        for k in ("width", "height"):
            want(is_int(value.get(k)) and value[k] > 0, f"{k} is not a positive integer")
        names = value.get("filenames")
        want(isinstance(names, list) and len(names) == value["count"],
             "filenames is not a list of `count` paths")
        for i, n in enumerate(names):
            want_image_path(n, f"filenames[{i}]")
        if "captions" in value:
            c = value["captions"]
            want(isinstance(c, list) and len(c) == value["count"]
                 and all(x is None or isinstance(x, str) for x in c),
                 "captions is not a list of `count` strings")
        for i, n in enumerate(names):
            found.append({"path": n, "format": value["format"],
                          "width": value["width"] if i == 0 else None,
                          "height": value["height"] if i == 0 else None})
    else:
        warn("media-type", f"{where}: value of _type {kind!r} is not checked by this server")


def png_size(data):
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    return None


def check_config(text):
    cfg = json.loads(text)
    if not isinstance(cfg, dict):
        raise Reject(400, "config-shape", "config is not a JSON object")
    for k, v in cfg.items():
        if not isinstance(v, dict) or "value" not in v or set(v) - {"value", "desc"}:
            raise Reject(400, "config-shape",
                         f'config entry {k!r} is not of the form {{"value": ...}}')
    return cfg


# --------------------------------------------------------------------------

class Run:
    def __init__(self, entity, project, name, folder):
        self.entity, self.project, self.name, self.folder = entity, project, name, folder
        self.id = base64.b64encode(f"Run:v1:{name}:{project}:{entity}".encode()).decode()
        self.fields = {"displayName": None, "notes": None, "tags": [], "group": None,
                       "jobType": None, "host": None, "commit": None, "description": None}
        self.config = {}
        self.lines = {HISTORY: [], EVENTS: [], OUTPUT: []}
        self.summary = None
        self.last_step = None
        self.upserts = self.posts = self.heartbeats = 0
        self.active = False             # between an upsert and `complete`
        self.first_post = True          # no stream data since the last upsert of a new session
        self.exitcode = None
        self.complete = False
        self.last_complete = None       # digest of the body that ended the run
        self.media = {}                 # path -> what rows say about it
        self.requested = {}             # path -> token
        self.files = {}                 # path -> {"bytes", "sha256", "size"}
        self.uploaded = []
        self.created = time.time()
        self.last_seen = time.monotonic()
        self.stream_times = []
        os.makedirs(os.path.join(folder, "files"), exist_ok=True)

    @property
    def state(self):
        if self.complete:
            return "finished" if self.exitcode == 0 else "failed"
        return "running"

    def graph(self, server):
        h, e = self.lines[HISTORY], self.lines[EVENTS]

        def wandb_config(keys=None):
            own = (self.config.get("_wandb") or {}).get("value") or {}
            return json.dumps({k: own[k] for k in (keys if keys is not None else own) if k in own})

        return {
            "id": self.id, "name": self.name, **self.fields, "config": json.dumps(self.config),
            "sweepName": None,
            "summaryMetrics": json.dumps(self.summary if self.summary is not None else {}),
            "historyLineCount": len(h), "eventsLineCount": len(e),
            "logLineCount": len(self.lines[OUTPUT]),
            "historyTail": json.dumps(h[-1:]), "eventsTail": json.dumps(e[-1:]),
            "state": self.state, "stopped": server.should_stop(self),
            "createdAt": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.created)),
            "heartbeatAt": None, "wandbConfig": wandb_config,
            "project": {"id": "UHJvamVjdA==", "name": self.project, "entityName": self.entity,
                        "entity": {"id": "RW50aXR5", "name": self.entity}},
        }

    def as_json(self):
        return {"entity": self.entity, "project": self.project, "name": self.name,
                "storage_id": self.id, **self.fields, "state": self.state,
                "complete": self.complete, "exitcode": self.exitcode, "upserts": self.upserts,
                "file_stream_posts": self.posts, "heartbeats": self.heartbeats,
                "history_rows": len(self.lines[HISTORY]), "event_rows": len(self.lines[EVENTS]),
                "console_lines": len(self.lines[OUTPUT]), "last_step": self.last_step,
                "media_referenced": sorted(self.media), "files": {
                    p: {"bytes": f["size"], "sha256": f["sha256"]} for p, f in sorted(self.files.items())},
                "uploaded": self.uploaded}

    def save(self, what=()):
        def put(name, text):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
                f.write(text)

        put("run.json", json.dumps(self.as_json(), indent=1) + "\n")
        if "config" in what:
            put("config.json", json.dumps(self.config, indent=1) + "\n")
        if SUMMARY in what:
            put("summary.json", json.dumps(self.summary, indent=1) + "\n")
        for name, target in ((HISTORY, "history.jsonl"), (EVENTS, "events.jsonl"), (OUTPUT, "output.log")):
            if name in what:
                put(target, "".join(x + "\n" for x in self.lines[name]))


class State:
    def __init__(self, opts):
        self.o = opts
        self.root = os.path.abspath(opts.root)
        os.makedirs(self.root, exist_ok=True)
        self.lock = threading.RLock()
        self.runs = {}
        self.tokens = {}                # upload token -> (run, path)
        self.n = 0
        self.matched = 0                # requests that fault settings look at
        self.t0 = None
        self.found = {"rejected": [], "violation": [], "warning": []}
        self.faulted = []
        self.seen = {}
        self.log = open(os.path.join(self.root, "requests.jsonl"), "w", buffering=1)
        self.finished = 0

    # -- findings ---------------------------------------------------------
    def note(self, grade, n, code, reason):
        with self.lock:
            self.found[grade].append({"request": n, "code": code, "reason": reason})
            self.save_report()
        if self.o.verbose or grade != "warning":
            print(f"{grade}: request {n}: {code}: {reason}", file=sys.stderr, flush=True)

    def report(self):
        with self.lock:
            return {"ok": not self.found["rejected"] and not self.found["violation"],
                    "requests": self.n, "by_kind": dict(sorted(self.seen.items())),
                    "rejected": self.found["rejected"], "violations": self.found["violation"],
                    "warnings": self.found["warning"], "faults_injected": self.faulted,
                    "runs": [r.as_json() for r in self.runs.values()]}

    def save_report(self):
        with open(os.path.join(self.root, "report.json"), "w") as f:
            json.dump(self.report(), f, indent=1)
            f.write("\n")

    def should_stop(self, run):
        return bool(self.o.stop_after_rows) and len(run.lines[HISTORY]) >= self.o.stop_after_rows

    # -- faults -----------------------------------------------------------
    def fault(self, label):
        """Decides what goes wrong with this request: None or (kind, value)."""
        o = self.o
        with self.lock:
            now = time.monotonic()
            if self.t0 is None:
                self.t0 = now
            if o.fault_on and not re.search(o.fault_on, label):
                return None
            self.matched += 1
            k = self.matched
            for begin, length in o.outage:
                if begin <= now - self.t0 < begin + length:
                    return ("drop", None)
            if k <= o.fail_first or (o.fail_every and k % o.fail_every == 0):
                codes = o.fail_status
                count = len(self.faulted)
                return ("status", codes[count % len(codes)])
            if o.drop and k % o.drop == 0:
                return ("drop", None)
            if o.drop_reply and k % o.drop_reply == 0:
                return ("drop-reply", None)
        return None

    # -- GraphQL ----------------------------------------------------------
    def graphql(self, req, n):
        q = Query(req)
        if q.unsupported:
            self.note("warning", n, "graphql-unsupported",
                      f"operation {q.name or q.unsupported[0]!r} is not served here")
            return 400, {"errors": [{"message": f'Cannot query field "{f}" on type "{q.root}".'}
                                    for f in q.unsupported], "data": None}, q.name
        warn = lambda code, text: self.note("warning", n, code, text)
        o = self.o
        root = {
            "viewer": {"id": "VXNlcjox", "entity": o.entity, "username": o.entity, "name": o.entity,
                       "email": f"{o.entity}@example.com", "flags": "{}", "admin": False,
                       "teams": {"edges": [{"node": {"id": "RW50aXR5", "name": o.entity}}]}},
            "serverInfo": {"features": [{"name": f, "isEnabled": True} for f in o.feature],
                           "cliVersionInfo": {"max_cli_version": "99.0.0"},
                           "latestLocalVersionInfo": None},
            "entity": lambda name=None: {"id": "RW50aXR5", "name": name or o.entity, "organization": None},
            "model": lambda name=None, entityName=None: self.project(name, entityName),
            "project": lambda name=None, entityName=None: self.project(name, entityName),
            "upsertBucket": lambda input: self.upsert(input, warn),
            "createRunFiles": lambda input: self.create_files(input),
            "markRunFilesUploaded": lambda input: self.mark_uploaded(input),
        }
        with self.lock:
            return 200, {"data": q.answer(root)}, q.name

    def project(self, name, entity):
        entity, name = entity or self.o.entity, name or "uncategorized"
        if not any((e, p) == (entity, name) for e, p, _ in self.runs):
            return None

        def bucket(name=None, missingOk=False, _p=name):
            run = self.runs.get((entity, _p, name))
            if run is None and not missingOk:
                raise Reject(404, "run-missing", f"run {entity}/{_p}/{name} not found")
            return run.graph(self) if run else None

        return {"id": "UHJvamVjdA==", "name": name, "entityName": entity,
                "entity": {"id": "RW50aXR5", "name": entity},
                "bucket": bucket, "run": lambda name, _b=bucket: _b(name=name, missingOk=True)}

    def upsert(self, i, warn):
        entity = i.get("entityName") or self.o.entity
        project = i.get("modelName") or "uncategorized"
        if self.o.strict_entity and entity != self.o.entity:
            raise Reject(403, "entity", "permission denied")
        if entity in (".", "..") or "/" in entity:
            raise Reject(404, "entity", f"entity {entity!r} not found")
        if len(project) > 128 or project in (".", "..") or re.search(r"[/\\#?%:]", project):
            raise Reject(400, "project-name", f"project name {project!r} is not allowed")
        name = i.get("name")
        if name is None and i.get("id"):
            name = next((r.name for r in self.runs.values() if r.id == i["id"]), None)
        if not isinstance(name, str) or not name or name != name.strip() or name in (".", "..") \
                or len(name) > 128 or re.search(r"[:;,#?/']", name):
            raise Reject(400, "run-id", f"run id {name!r} is not allowed")
        key = (entity, project, name)
        run = self.runs.get(key)
        if i.get("id") and (run is None or i["id"] != run.id):
            raise Reject(404, "run-id", f"storage id {i['id']!r} belongs to no such run")
        config = check_config(i["config"]) if i.get("config") is not None else None
        tags = i.get("tags")
        for t in tags or []:
            if not 1 <= len(t) <= 64:
                raise Reject(400, "tags", f"tag {t!r} is not 1 to 64 characters long")
        if i.get("summaryMetrics") is not None and not isinstance(json.loads(i["summaryMetrics"]), dict):
            raise Reject(400, "summary-shape", "summaryMetrics is not a JSON object")
        inserted = run is None
        if inserted:
            folder = os.path.join(self.root, "runs", *(quote(k, safe=" -_.") for k in key))
            run = self.runs[key] = Run(entity, project, name, folder)
            if i.get("displayName") is None:
                run.fields["displayName"] = f"mock-run-{len(self.runs)}"
            if config is None:
                warn("config-absent", "the upsert that creates a run carries no config")
            elif "t" not in ((config.get("_wandb") or {}).get("value") or {}):
                warn("config-no-telemetry",
                     "config has no _wandb.value.t; the official client will refuse to resume this run")
        if not run.active:
            run.active, run.first_post = True, True
            run.complete = False
        run.upserts += 1
        for src, dst in (("displayName",) * 2, ("notes",) * 2, ("groupName", "group"), ("jobType",) * 2,
                         ("host",) * 2, ("commit",) * 2, ("description",) * 2):
            if i.get(src) is not None:
                run.fields[dst] = i[src]
        if tags is not None:
            run.fields["tags"] = tags
        if config is not None:
            run.config = config
        if i.get("summaryMetrics") is not None:
            run.summary = json.loads(i["summaryMetrics"])
        run.save(("config",))
        return {"bucket": run.graph(self), "inserted": inserted}

    def find_run(self, i):
        key = (i["entityName"], i["projectName"], i["runName"])
        run = self.runs.get(key)
        if run is None:
            raise Reject(404, "run-missing", f"run {'/'.join(key)} was never created")
        return run

    def create_files(self, i):
        run = self.find_run(i)
        if not i["files"]:
            raise Reject(400, "file-name", "no files named")
        if len(set(i["files"])) != len(i["files"]):
            raise Reject(400, "file-name", "a file is named twice")
        out = []
        for p in i["files"]:
            check_path(p, "createRunFiles")
            token = hashlib.sha256(f"{run.id}\0{p}".encode()).hexdigest()[:32]
            self.tokens[token] = (run, p)
            run.requested[p] = token
            path = f"/storage/{token}?signature=mock"
            out.append({"name": p, "uploadUrl": path if self.o.relative_upload_urls else self.base + path})
        run.save()
        return {"runID": run.id, "uploadHeaders": list(self.o.upload_header), "files": out}

    def mark_uploaded(self, i):
        run = self.find_run(i)
        self.check_uploaded(run, i["files"])
        return {"success": True}

    def check_uploaded(self, run, names):
        for p in names:
            if p not in run.files:
                raise Reject(400, "uploaded-unknown", f"{p!r} is named as uploaded but was never put")
        for p in names:
            if p not in run.uploaded:
                run.uploaded.append(p)

    # -- uploads ----------------------------------------------------------
    def put_file(self, token, body, headers, n):
        if token not in self.tokens:
            raise Reject(403, "upload-address", "this upload address was not handed out")
        if headers.get("Authorization"):
            raise Reject(400, "upload-auth",
                         "signed upload address used with an Authorization header; object stores refuse that")
        for want in self.o.upload_header:
            k, _, v = want.partition(":")
            if (headers.get(k.strip()) or "").strip() != v.strip():
                raise Reject(403, "upload-header", f"required upload header {want!r} is missing")
        ctype = headers.get("Content-Type")
        if ctype and not any(h.lower().startswith("content-type:") for h in self.o.upload_header):
            self.note("warning", n, "upload-content-type",
                      f"Content-Type {ctype!r} sent although no upload header asks for one; "
                      "some signed addresses refuse that")
        with self.lock:
            run, path = self.tokens[token]
            run.files[path] = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(),
                               "head": body[:32]}
            target = os.path.join(run.folder, "files", *path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as f:
                f.write(body)
            run.save()
        return 200, None

    # -- file_stream ------------------------------------------------------
    def file_stream(self, key, msg, n):
        with self.lock:
            run = self.runs.get(key)
            if run is None:
                raise Reject(404, "run-missing", f"run {'/'.join(key)} was never created")
            if self.o.run_rate:
                now = time.monotonic()
                run.stream_times = [t for t in run.stream_times if now - t < 1.0]
                if len(run.stream_times) >= self.o.run_rate:
                    self.faulted.append({"request": n, "fault": "run rate limit"})
                    return 429, {"error": "rate limit exceeded"}, {
                        "Retry-After": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}
                run.stream_times.append(now)
            digest = hashlib.sha256(canonical(msg).encode()).hexdigest()
            if not run.active:
                if digest == run.last_complete:
                    return 200, self.stream_answer(run), {}     # the same ending, sent again
                raise Reject(409, "run-complete",
                             "data for a run that is complete; upsert it again to go on")
            new = self.check_stream(run, msg, n)
            self.apply_stream(run, msg, new, digest, n)
            return 200, self.stream_answer(run), {}

    def stream_answer(self, run):
        out = {"exitcode": None, "limits": {}}
        if self.should_stop(run):
            out["stopped"] = True
        return out

    def check_stream(self, run, msg, n):
        """Checks a whole message before any of it is applied."""
        if not isinstance(msg, dict):
            raise Reject(400, "stream-body", "body is not a JSON object")
        extra = set(msg) - STREAM_KEYS
        if extra:
            raise Reject(400, "stream-body", f"unknown members: {sorted(extra)}")
        for k in ("complete", "preempting", "failed"):
            if k in msg and not isinstance(msg[k], bool):
                raise Reject(400, "stream-body", f"{k} is not a boolean")
        if msg.get("complete"):
            if not is_int(msg.get("exitcode")):
                raise Reject(400, "stream-exitcode", "complete without an integer exitcode")
        elif msg.get("exitcode") is not None:
            raise Reject(400, "stream-exitcode", "exitcode without complete")
        files = msg.get("files", {})
        if not isinstance(files, dict):
            raise Reject(400, "stream-files", "files is not an object")
        new = {"media": [], "last_step": run.last_step}
        for name, chunk in files.items():
            if name not in STREAM_FILES:
                raise Reject(400, "stream-files", f"unknown stream file {name!r}")
            if not isinstance(chunk, dict) or set(chunk) != {"offset", "content"}:
                raise Reject(400, "stream-files", f"{name}: not an object of offset and content")
            off, content = chunk["offset"], chunk["content"]
            if not is_int(off) or off < 0:
                raise Reject(400, "stream-offset", f"{name}: offset {off!r} is not an integer from 0 up")
            if not isinstance(content, list) or not content or not all(isinstance(x, str) for x in content):
                raise Reject(400, "stream-content", f"{name}: content is not a list of strings")
            for i, line in enumerate(content):
                if len(line.encode("utf-8", "surrogatepass")) > MAX_LINE:
                    raise Reject(413, "line-too-long", f"{name}: line {off + i} is over {MAX_LINE} bytes")
                if "\n" in line or "\r" in line:
                    raise Reject(400, "stream-content", f"{name}: line {off + i} holds a line break")
            getattr(self, {HISTORY: "check_history", EVENTS: "check_events", SUMMARY: "check_summary",
                           OUTPUT: "check_output"}[name])(run, off, content, new, n)
        names = msg.get("uploaded", [])
        if not isinstance(names, list) or not all(isinstance(x, str) for x in names):
            raise Reject(400, "stream-uploaded", "uploaded is not a list of strings")
        for p in names:
            if p not in run.files:
                raise Reject(400, "uploaded-unknown", f"{p!r} is named as uploaded but was never put")
        return new

    def check_overlap(self, run, name, off, content, n, strict):
        have = run.lines[name]
        if off > len(have):
            raise Reject(400, "stream-offset", f"{name}: offset {off} leaves a gap after {len(have)} lines")
        for i, line in enumerate(content):
            if off + i < len(have) and not same_row(have[off + i], line):
                if strict:
                    raise Reject(400, "stream-offset", f"{name}: line {off + i} is sent again with other content")
                self.note("warning", n, "stream-rewrite", f"{name}: line {off + i} is rewritten")
                return

    def check_history(self, run, off, content, new, n):
        self.check_overlap(run, HISTORY, off, content, n, True)
        have = len(run.lines[HISTORY])
        for i, line in enumerate(content):
            if off + i < have:
                continue
            where = f"history row {off + i}"
            row = row_object(line, where)
            step = row.get("_step")
            if not is_int(step) or step < 0:
                raise Reject(400, "row-step", f"{where}: _step is missing or not an integer from 0 up")
            if new["last_step"] is not None and step <= new["last_step"]:
                if run.first_post and i == 0 and off == have:
                    self.note("warning", n, "row-step", f"{where}: _step goes back to {step} in a new session")
                else:
                    raise Reject(400, "row-step", f"{where}: _step {step} is not above {new['last_step']}")
            new["last_step"] = step
            check_clock(row, where)
            for k in row:
                if not k:
                    raise Reject(400, "row-key", f"{where}: empty key")
                if k.startswith("_") and k not in KNOWN_UNDERSCORE:
                    self.note("warning", n, "row-key", f"{where}: key {k!r} begins with an underscore")
            if set(row) <= KNOWN_UNDERSCORE:
                self.note("warning", n, "row-empty", f"{where}: no metrics")
            find_media({k: v for k, v in row.items() if k not in KNOWN_UNDERSCORE}, "", new["media"],
                       lambda code, text: self.note("warning", n, code, f"{where}: {text}"))

    def check_events(self, run, off, content, new, n):
        self.check_overlap(run, EVENTS, off, content, n, not run.first_post)
        for i, line in enumerate(content):
            where = f"event row {off + i}"
            row = row_object(line, where)
            check_clock(row, where)
            odd = [k for k in row if not k.startswith(("system.", "_"))]
            if odd:
                self.note("warning", n, "event-key", f"{where}: keys outside 'system.': {odd[:3]}")

    def check_summary(self, run, off, content, new, n):
        if off != 0 or len(content) != 1:
            raise Reject(400, "summary-shape", "the summary is one line at offset 0")
        row = row_object(content[0], "summary")
        if "_step" in row and not is_int(row["_step"]):
            raise Reject(400, "summary-shape", "summary: _step is not an integer")
        if not isinstance(row.get("_wandb"), dict) or not is_num(row["_wandb"].get("runtime")):
            self.note("warning", n, "summary-runtime", "summary has no _wandb.runtime")
        find_media({k: v for k, v in row.items() if k not in KNOWN_UNDERSCORE}, "summary", [],
                   lambda code, text: self.note("warning", n, code, text))

    def check_output(self, run, off, content, new, n):
        if off > len(run.lines[OUTPUT]):
            raise Reject(400, "stream-offset",
                         f"{OUTPUT}: offset {off} leaves a gap after {len(run.lines[OUTPUT])} lines")
        for i, line in enumerate(content):
            if "STRUCTURED_CONSOLE_LOGS" in self.o.feature and line.startswith("{"):
                row = row_object(line, f"console line {off + i}")
                if not isinstance(row.get("ts"), str) or not isinstance(row.get("content"), str):
                    raise Reject(400, "console-line", f"console line {off + i}: ts or content is missing")
            elif not CONSOLE_RE.match(line):
                raise Reject(400, "console-line",
                             f"console line {off + i} does not begin with a time stamp")

    def apply_stream(self, run, msg, new, digest, n):
        now = time.monotonic()
        if self.o.max_gap and now - run.last_seen > self.o.max_gap:
            self.note("violation", n, "heartbeat-gap",
                      f"{now - run.last_seen:.1f} s without a file_stream request")
        run.last_seen = now
        run.posts += 1
        files = msg.get("files", {})
        if not files and not msg.get("uploaded") and not msg.get("complete") and not msg.get("preempting"):
            run.heartbeats += 1
        for name, chunk in files.items():
            off, content = chunk["offset"], chunk["content"]
            if name == SUMMARY:
                run.summary = json.loads(content[0])
            else:
                run.lines[name][off:off + len(content)] = content
            if name in (HISTORY, EVENTS):
                run.first_post = False
        run.last_step = new["last_step"]
        for m in new["media"]:
            run.media[m["path"]] = m
        for p in msg.get("uploaded", []):
            if p not in run.uploaded:
                run.uploaded.append(p)
        if msg.get("complete"):
            run.complete, run.active = True, False
            run.exitcode = msg["exitcode"]
            run.last_complete = digest
            self.check_finished(run, n)
            self.finished += 1
        run.save(tuple(files))
        if msg.get("complete"):
            self.save_report()

    def check_finished(self, run, n):
        for path, m in run.media.items():
            f = run.files.get(path)
            if f is None:
                self.note("violation", n, "media-missing", f"{path} is in the history but was never put")
                continue
            if m.get("sha256") and m["sha256"] != f["sha256"]:
                self.note("violation", n, "media-digest", f"{path}: sha256 of the row is not that of the file")
            if m.get("size") and m["size"] != f["size"]:
                self.note("violation", n, "media-digest", f"{path}: size {m['size']} but {f['size']} bytes were put")
            if m["format"] == "png":
                size = png_size(f["head"])
                if size is None:
                    self.note("violation", n, "media-content", f"{path}: not a PNG file")
                elif m.get("width") and size != (m["width"], m["height"]):
                    self.note("violation", n, "media-content",
                              f"{path}: row says {m['width']}x{m['height']}, file is {size[0]}x{size[1]}")
            if m["format"] in ("jpg", "jpeg") and f["head"][:2] != b"\xff\xd8":
                self.note("violation", n, "media-content", f"{path}: not a JPEG file")
            if path not in run.uploaded:
                self.note("warning", n, "media-unannounced", f"{path} was put but never listed under 'uploaded'")
        for path in run.requested:
            if path not in run.files:
                self.note("warning", n, "file-never-put", f"{path}: address asked for and never used")


# --------------------------------------------------------------------------

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 600

    def log_message(self, *_):
        pass

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            if self.command == "PUT":
                self.close_connection = True
                raise Reject(411, "chunked", "object stores refuse chunked uploads; send a Content-Length")
            return self.read_chunks()
        length = self.headers.get("Content-Length")
        if length is None:
            if self.command in ("POST", "PUT", "PATCH"):
                self.close_connection = True
                raise Reject(411, "no-length", "no Content-Length")
            return b""
        if not length.isdigit():
            self.close_connection = True
            raise Reject(400, "bad-length", "Content-Length is not a number")
        size = int(length)
        limit = MAX_UPLOAD if self.command == "PUT" else MAX_BODY
        if size > limit:
            self.close_connection = True
            raise Reject(413, "too-large", f"body of {size} bytes")
        return self.rfile.read(size)

    def read_chunks(self):
        parts, total = [], 0
        while True:
            try:
                size = int(self.rfile.readline(100).split(b";")[0], 16)
            except ValueError:
                self.close_connection = True
                raise Reject(400, "bad-chunk", "chunk size is not a hexadecimal number")
            if size == 0:
                while self.rfile.readline(1000).strip():
                    pass
                return b"".join(parts)
            total += size
            if total > MAX_BODY:
                self.close_connection = True
                raise Reject(413, "too-large", "chunked body is too long")
            parts.append(self.rfile.read(size))
            self.rfile.readline(100)

    def json_body(self, raw):
        ctype = self.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if ctype != "application/json":
            raise Reject(415, "content-type", f"Content-Type is {ctype!r}, not application/json")
        enc = self.headers.get("Content-Encoding", "identity").strip().lower()
        if enc == "gzip":
            if "FILESTREAM_GZIP" not in self.server.state.o.feature or not self.path.endswith("/file_stream"):
                raise Reject(415, "content-encoding", "gzip body, but the server did not offer FILESTREAM_GZIP")
            try:
                raw = gzip.decompress(raw)
            except (OSError, EOFError, zlib.error):
                raise Reject(400, "content-encoding", "body is not gzip")
        elif enc != "identity":
            raise Reject(415, "content-encoding", f"Content-Encoding {enc!r}")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise Reject(400, "body-json", "body is not UTF-8")

        def no_constant(c):
            raise ValueError(f"{c} outside a string")

        try:
            return json.loads(text, parse_constant=no_constant)
        except ValueError as e:
            raise Reject(400, "body-json", f"body is not JSON ({e})")

    def check_auth(self):
        auth = self.headers.get("Authorization")
        if not auth:
            raise Reject(401, "auth-missing", "no Authorization header")
        scheme, _, rest = auth.partition(" ")
        if scheme.lower() != "basic":
            raise Reject(401, "auth-scheme", f"scheme {scheme!r}; HTTP Basic is wanted")
        try:
            user, sep, key = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Reject(401, "auth-encoding", "credentials are not base64")
        if not sep or user != "api":
            raise Reject(401, "auth-user", "the user name is not 'api'")
        secret = key.split("-", 1)[-1]
        if not re.fullmatch(r"[\w-]{40,}", secret):
            raise Reject(401, "auth-key", f"the API key is not 40 or more letters and digits ({len(secret)} given)")
        if self.server.state.o.api_key and key != self.server.state.o.api_key:
            raise Reject(401, "auth-key", "the API key is not known")

    def abort(self):
        """Closes the connection so that the client sees a reset."""
        self.close_connection = True
        try:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        except OSError:
            pass

    def reply(self, status, answer, extra=None):
        payload = b"" if answer is None else json.dumps(answer).encode()
        try:
            self.send_response(status)
            if answer is not None:
                self.send_header("Content-Type", "application/json")
            for k, v in (extra or {}).items():
                self.send_header(k, v)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(payload)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def masked(self):
        out = {}
        for k, v in self.headers.items():
            out[k] = v.split(" ")[0] + " <masked>" if k.lower() in SECRET_HEADERS else v
        return out

    def handle_any(self):
        st = self.server.state
        path = urlsplit(self.path).path
        if path.startswith("/__mock__/"):
            return self.control(path)
        kind = self.classify(path)
        with st.lock:
            st.n += 1
            n = st.n
            st.seen[kind] = st.seen.get(kind, 0) + 1
        record = {"n": n, "t": round(time.time(), 3), "method": self.command, "path": self.path,
                  "headers": self.masked()}
        raw, parsed = b"", None
        status, answer, extra, dropped = 500, None, {}, None
        try:
            try:
                raw = self.read_body()
                if st.o.delay:
                    time.sleep(st.o.delay)
                label = f"{self.command} {path}"
                m = re.search(rb'(?:mutation|query)\s+(\w+)', raw[:4096]) if kind == "graphql" else None
                if m:
                    label += " " + m.group(1).decode()
                fault = st.fault(label)
                if fault:
                    with st.lock:
                        st.faulted.append({"request": n, "on": label, "fault": fault[0], "status": fault[1]})
                if fault and fault[0] == "drop":
                    dropped = "before"
                    return self.abort()
                if fault and fault[0] == "status":
                    status, answer = fault[1], {"error": f"injected fault {fault[1]}"}
                    if st.o.retry_after is not None and status in (429, 503):
                        extra["Retry-After"] = f"{st.o.retry_after:g}"
                        if status == 429:
                            extra["RateLimit-Remaining"] = "0"
                            extra["RateLimit-Reset"] = f"{st.o.retry_after:g}"
                    return self.reply(status, answer, extra)
                status, answer, extra, parsed = self.serve(kind, path, raw, n)
                if fault and fault[0] == "drop-reply":
                    dropped = "after"
                    return self.abort()
            except Reject as r:
                status, answer, extra = r.status, self.error_body(kind, r), {}
                st.note("rejected", n, r.code, r.reason)
            except (ConnectionError, TimeoutError):
                raise
            except Exception as e:      # a fault of this server, not of the client
                status, answer, extra = 500, {"error": "internal error"}, {}
                self.close_connection = True
                st.note("warning", n, "server-error", f"{type(e).__name__}: {e}")
            self.reply(status, answer, extra)
        finally:
            record["status"] = None if dropped else status
            if dropped:
                record["dropped"] = dropped
            if parsed is not None:
                record["json"] = parsed
            elif raw:
                record["body"] = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
            with st.lock:
                st.log.write(json.dumps(record) + "\n")
            if st.o.exit_when_finished and st.finished >= st.o.exit_when_finished:
                threading.Timer(st.o.linger, self.server.shutdown).start()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    @staticmethod
    def error_body(kind, r):
        if kind == "graphql":
            return {"errors": [{"message": r.reason, "extensions": {"code": r.code}}], "data": None}
        return {"error": r.reason, "code": r.code}

    @staticmethod
    def classify(path):
        if path == "/graphql":
            return "graphql"
        if re.fullmatch(r"/files/[^/]+/[^/]+/[^/]+/file_stream", path):
            return "file_stream"
        if path.startswith("/storage/"):
            return "storage"
        return "other"

    def serve(self, kind, path, raw, n):
        st = self.server.state
        if kind == "graphql":
            self.need("POST")
            self.check_auth()
            parsed = self.json_body(raw)
            status, answer, _ = st.graphql(parsed, n)
            return status, answer, {}, parsed
        if kind == "file_stream":
            self.need("POST")
            self.check_auth()
            parsed = self.json_body(raw)
            key = tuple(unquote(p) for p in path.split("/")[2:5])
            status, answer, extra = st.file_stream(key, parsed, n)
            return status, answer, extra, parsed
        if kind == "storage":
            self.need("PUT")
            status, answer = st.put_file(path[len("/storage/"):], raw, self.headers, n)
            return status, answer, {}, None
        if not path.startswith(("/sdk/", "/oidc/")):    # optional services the official client tries
            raise Reject(404, "unknown-address", f"{self.command} {path}")
        st.note("warning", n, "optional-service", f"{self.command} {path}")
        return 404, {"error": "not found"}, {}, None

    def need(self, method):
        if self.command != method:
            raise Reject(405, "method", f"{self.command} where {method} belongs")

    def control(self, path):
        st = self.server.state
        try:
            raw = self.read_body()
        except Reject as r:
            return self.reply(r.status, {"error": r.reason})
        if path == "/__mock__/report":
            return self.reply(200, st.report())
        if path == "/__mock__/faults" and self.command == "POST":
            try:
                set_faults(st.o, json.loads(raw or b"{}"))
            except (ValueError, TypeError) as e:
                return self.reply(400, {"error": str(e)})
            with st.lock:
                st.matched = 0
            return self.reply(200, {"ok": True})
        if path == "/__mock__/shutdown" and self.command == "POST":
            self.reply(200, {"ok": True})
            threading.Thread(target=self.server.shutdown).start()
            return None
        return self.reply(404, {"error": "not found"})


FAULT_DEFAULTS = {"fail_every": 0, "fail_first": 0, "fail_status": [500, 429], "retry_after": None,
                  "drop": 0, "drop_reply": 0, "delay": 0.0, "outage": [], "fault_on": None,
                  "run_rate": 0}


def set_faults(opts, new):
    if not isinstance(new, dict) or set(new) - set(FAULT_DEFAULTS):
        raise ValueError(f"settings are {sorted(FAULT_DEFAULTS)}")
    for k, v in {**FAULT_DEFAULTS, **new}.items():
        setattr(opts, k, v)


def parse_outage(text):
    begin, _, length = text.partition(":")
    return float(begin), float(length)


def arguments(argv=None):
    ap = argparse.ArgumentParser(description="Strict stand-in for a Weights & Biases server.")
    ap.add_argument("--root", help="folder for what the client sends")
    ap.add_argument("--port", type=int, default=0, help="0 picks a free one")
    ap.add_argument("--port-file", help="write the port number here once listening")
    ap.add_argument("--api-key", help="the only key accepted; any well-formed key otherwise")
    ap.add_argument("--entity", default="mock-user", help="default entity of the key's owner")
    ap.add_argument("--strict-entity", action="store_true", help="answer 403 for any other entity")
    ap.add_argument("--feature", action="append", default=[], metavar="NAME",
                    help="server feature to offer, such as FILESTREAM_GZIP")
    ap.add_argument("--upload-header", action="append", default=[], metavar="'NAME: VALUE'",
                    help="header a client must repeat on uploads")
    ap.add_argument("--relative-upload-urls", action="store_true",
                    help="hand out upload addresses without scheme and host")
    ap.add_argument("--stop-after-rows", type=int, default=0, metavar="N",
                    help="ask the client to stop once a run has N history rows")
    ap.add_argument("--max-gap", type=float, default=0, metavar="S",
                    help="violation when a run is silent for longer")
    ap.add_argument("--exit-when-finished", type=int, default=0, metavar="N",
                    help="stop after N runs were marked complete")
    ap.add_argument("--linger", type=float, default=0.5, metavar="S",
                    help="how long to go on after that, for answers sent again")
    ap.add_argument("--exit-with-parent", action="store_true",
                    help="end as soon as the process that started this one has ended")
    ap.add_argument("--verbose", action="store_true", help="print warnings too")
    ap.add_argument("--selftest", action="store_true", help="try right and wrong requests against itself")
    f = ap.add_argument_group("faults")
    f.add_argument("--fail-every", type=int, default=0, metavar="N", help="fail every Nth request")
    f.add_argument("--fail-first", type=int, default=0, metavar="N", help="fail the first N requests")
    f.add_argument("--fail-status", default="500,429", metavar="LIST", help="statuses to fail with, in turn")
    f.add_argument("--retry-after", type=float, metavar="S", help="Retry-After on 429 and 503")
    f.add_argument("--drop", type=int, default=0, metavar="N",
                   help="reset every Nth connection without looking at the request")
    f.add_argument("--drop-reply", type=int, default=0, metavar="N",
                   help="apply every Nth request, then reset the connection instead of answering")
    f.add_argument("--delay", type=float, default=0.0, metavar="S", help="wait before every answer")
    f.add_argument("--outage", type=parse_outage, action="append", default=[], metavar="BEGIN:LENGTH",
                   help="reset everything during this time, seconds from the first request")
    f.add_argument("--fault-on", metavar="REGEX",
                   help="limit faults to requests whose 'METHOD PATH OPERATION' matches")
    f.add_argument("--run-rate", type=float, default=0, metavar="R",
                   help="answer 429 above R file_stream requests a second and run; the documented "
                        "default of hosted servers is 2")
    a = ap.parse_args(argv)
    a.fail_status = [int(s) for s in a.fail_status.split(",")]
    if not a.selftest and not a.root:
        ap.error("--root is needed")
    return a


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def start(opts):
    srv = Server(("127.0.0.1", opts.port), Handler)
    srv.state = State(opts)
    srv.state.base = f"http://127.0.0.1:{srv.server_port}"
    return srv


def watch_parent(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def main():
    opts = arguments()
    if opts.selftest:
        return selftest()
    if opts.exit_with_parent:
        threading.Thread(target=watch_parent, args=(os.getppid(),), daemon=True).start()
    srv = start(opts)
    if opts.port_file:
        with open(opts.port_file + ".tmp", "w") as f:
            f.write(str(srv.server_port))
        os.replace(opts.port_file + ".tmp", opts.port_file)
    print(f"listening on {srv.state.base}", file=sys.stderr, flush=True)
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, lambda *_: threading.Thread(target=srv.shutdown).start())
    srv.serve_forever(poll_interval=0.1)
    srv.state.save_report()
    r = srv.state.report()
    print(f"{r['requests']} requests, {len(r['runs'])} runs, {len(r['rejected'])} rejected, "
          f"{len(r['violations'])} violations, {len(r['warnings'])} warnings, "
          f"{len(r['faults_injected'])} faults injected: {'ok' if r['ok'] else 'NOT OK'}",
          file=sys.stderr, flush=True)
    return 0 if r["ok"] else 1


# --------------------------------------------------------------------------
# Self-test: a minimal right client, then one wrong request after another.

UPSERT = """mutation UpsertBucket($id: String, $name: String, $project: String, $entity: String,
  $displayName: String, $config: JSONString, $tags: [String!]) {
  upsertBucket(input: {id: $id, name: $name, modelName: $project, entityName: $entity,
                       displayName: $displayName, config: $config, tags: $tags}) {
    bucket { id name displayName historyLineCount project { name entity { name } } }
    inserted
  }
}"""
CREATE = """mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
  createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) {
    runID uploadHeaders files { name uploadUrl }
  }
}"""
RESUME = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
  model(name: $project, entityName: $entity) {
    id name entity { id name }
    bucket(name: $name, missingOk: true) {
      id name summaryMetrics displayName logLineCount historyLineCount eventsLineCount
      historyTail eventsTail config tags notes wandbConfig(keys: ["t"])
    }
  }
}"""


def tiny_png(w=2, h=2):
    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))

    raw = b"".join(b"\0" + b"\x40\x80\xc0" * w for _ in range(h))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def selftest():
    folder = tempfile.TemporaryDirectory(prefix="mock-wandb-", ignore_cleanup_errors=True)
    opts = arguments(["--root", folder.name, "--feature", "FILESTREAM_GZIP",
                      "--upload-header", "X-Mock: yes"])
    opts.verbose = False
    srv = start(opts)
    threading.Thread(target=srv.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    st, bad = srv.state, []
    quiet, sys.stderr = sys.stderr, open(os.devnull, "w")
    key = "k" * 40
    basic = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()

    def call(method, path, body=None, headers=None, auth=basic, ctype="application/json"):
        c = http.client.HTTPConnection("127.0.0.1", srv.server_port, timeout=10)
        h = dict(headers or {})
        if auth:
            h["Authorization"] = auth
        if ctype:
            h["Content-Type"] = ctype
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        c.request(method, path, data, h)
        r = c.getresponse()
        text = r.read()
        c.close()
        return r.status, json.loads(text) if text else None

    def gql(query, variables, **kw):
        return call("POST", "/graphql", {"query": query, "variables": variables}, **kw)

    def check(label, got, want):
        if got != want:
            bad.append(f"{label}: got {got!r}, wanted {want!r}")

    def wrong(label, status, code, result):
        check(label, result[0], status)
        last = st.found["rejected"][-1]["code"] if st.found["rejected"] else None
        check(label + " (code)", last, code)

    now = time.time()
    row = lambda step, **kw: json.dumps({"_step": step, "_timestamp": now + step, "_runtime": step + 0.5, **kw})
    config = json.dumps({"lr": {"value": 1e-4}, "_wandb": {"value": {"t": {"5": "0.0.0"}}}})
    base = {"project": "p", "name": "run1", "config": config, "displayName": "a run", "tags": ["x"]}

    # A right client from beginning to end.
    V = b'{"query": "{ viewer { id } }"}'
    s, a = gql("query Viewer { viewer { id entity username } }", {})
    check("viewer", (s, a["data"]["viewer"]["entity"]), (200, "mock-user"))
    s, a = call("POST", "/graphql", b"%x\r\n%s\r\n0\r\n\r\n" % (len(V), V), headers={"Transfer-Encoding": "chunked"})
    check("chunked JSON is fine", s, 200)
    s, a = gql(UPSERT, base)
    check("upsert", (s, a["data"]["upsertBucket"]["inserted"]), (200, True))
    bucket = a["data"]["upsertBucket"]["bucket"]
    check("fields not asked for stay away", "config" in bucket, False)
    stream = "/files/mock-user/p/run1/file_stream"
    s, a = call("POST", stream, {"files": {
        HISTORY: {"offset": 0, "content": [row(0, loss=1.0), row(1, loss=0.5)]},
        OUTPUT: {"offset": 0, "content": ["2025-01-01T00:00:00.000000 hello"]},
        SUMMARY: {"offset": 0, "content": [json.dumps({"_step": 1, "_wandb": {"runtime": 1}, "loss": 0.5})]}}})
    check("stream", s, 200)
    s, _ = call("POST", stream, {})
    check("heartbeat", s, 200)
    png = tiny_png()
    sha = hashlib.sha256(png).hexdigest()
    name = f"media/images/validation_2_{sha[:20]}.png"
    s, a = gql(CREATE, {"entity": "mock-user", "project": "p", "run": "run1", "files": [name]})
    check("create files", s, 200)
    url = urlsplit(a["data"]["createRunFiles"]["files"][0]["uploadUrl"])
    target = f"{url.path}?{url.query}"
    header = dict(h.split(": ", 1) for h in a["data"]["createRunFiles"]["uploadHeaders"])
    s, _ = call("PUT", target, png, headers=header, auth=None, ctype=None)
    check("put", s, 200)
    body = gzip.compress(json.dumps({"files": {HISTORY: {"offset": 2, "content": [row(2, validation={
        "_type": "images/separated", "width": 2, "height": 2, "format": "png", "count": 1,
        "filenames": [name], "captions": ["x"]})]}}, "uploaded": [name]}).encode())
    s, _ = call("POST", stream, body, headers={"Content-Encoding": "gzip"})
    check("gzip stream", s, 200)
    s, _ = call("POST", stream, {"files": {HISTORY: {"offset": 1, "content": [row(1, loss=0.5)]}}})
    check("the same row again is fine", s, 200)
    swapped = json.dumps(dict(reversed(list(json.loads(row(1, loss=0.5)).items()))))
    s, _ = call("POST", stream, {"files": {HISTORY: {"offset": 1, "content": [swapped]}}})
    check("the same row in another order is fine", s, 200)
    check("nothing wrong so far", st.report()["ok"], True)

    # Wrong ones, one at a time; none of them may change the run.
    before = json.dumps(st.runs[("mock-user", "p", "run1")].as_json())
    V = "query Viewer { viewer { id } }"
    wrong("no key", 401, "auth-missing", gql(V, {}, auth=None))
    wrong("bearer", 401, "auth-scheme", gql(V, {}, auth="Bearer x"))
    wrong("not base64", 401, "auth-encoding", gql(V, {}, auth="Basic ***"))
    wrong("wrong user", 401, "auth-user",
          gql(V, {}, auth="Basic " + base64.b64encode(f"user:{key}".encode()).decode()))
    wrong("short key", 401, "auth-key", gql(V, {}, auth="Basic " + base64.b64encode(b"api:abc").decode()))
    wrong("no key on stream", 401, "auth-missing", call("POST", stream, {}, auth=None))
    wrong("get graphql", 405, "method", call("GET", "/graphql"))
    wrong("wrong address", 404, "unknown-address", call("POST", "/file/mock-user/p/run1/file_stream", {}))
    wrong("form body", 415, "content-type", gql(V, {}, ctype="application/x-www-form-urlencoded"))
    wrong("gzip graphql", 415, "content-encoding",
          call("POST", "/graphql", gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"}))
    wrong("not json", 400, "body-json", call("POST", "/graphql", b"{"))
    wrong("bare NaN", 400, "body-json", call("POST", stream, b'{"files": NaN}'))
    wrong("no query", 400, "graphql-body", call("POST", "/graphql", {"variables": {}}))
    wrong("syntax", 400, "graphql-syntax", gql("query { viewer { id }", {}))
    wrong("unknown field", 400, "graphql-validation", gql("query { viewer { shoeSize } }", {}))
    wrong("no subfields", 400, "graphql-validation", gql("query { viewer }", {}))
    wrong("unused variable", 400, "graphql-validation", gql("query Q($x: String) { viewer { id } }", {}))
    wrong("config as String", 400, "graphql-validation",
          gql(UPSERT.replace("$config: JSONString", "$config: String"), base))
    wrong("unknown input field", 400, "graphql-validation",
          gql(UPSERT.replace("modelName: $project", "projectName: $project"), base))
    wrong("config as object", 400, "graphql-variable", gql(UPSERT, {**base, "config": {"lr": {"value": 1}}}))
    wrong("config not json", 400, "graphql-variable", gql(UPSERT, {**base, "config": "{lr"}))
    wrong("bare config", 400, "config-shape", gql(UPSERT, {**base, "config": '{"lr": 1}'}))
    wrong("tags as string", 400, "graphql-variable", gql(UPSERT, {**base, "tags": "x"}))
    wrong("long tag", 400, "tags", gql(UPSERT, {**base, "tags": ["x" * 65]}))
    wrong("run id", 400, "run-id", gql(UPSERT, {**base, "name": "a/b"}))
    wrong("dotted run id", 400, "run-id", gql(UPSERT, {**base, "name": ".."}))
    wrong("no run id", 400, "run-id", gql(UPSERT, {**base, "name": None}))
    wrong("project name", 400, "project-name", gql(UPSERT, {**base, "project": "a/b"}))
    wrong("foreign storage id", 404, "run-id", gql(UPSERT, {**base, "id": "UnVuOg=="}))
    files = lambda f, run="run1": gql(CREATE, {"entity": "mock-user", "project": "p", "run": run, "files": f})
    wrong("absolute path", 400, "file-name", files(["/etc/x"]))
    wrong("dot dot", 400, "file-name", files(["media/../x"]))
    wrong("backslash", 400, "file-name", files(["media\\x"]))
    wrong("files of no run", 404, "run-missing", files(["x"], "nope"))
    wrong("stream of no run", 404, "run-missing", call("POST", "/files/mock-user/p/nope/file_stream", {}))
    wrong("put elsewhere", 403, "upload-address", call("PUT", "/storage/abc", png, auth=None, ctype=None))
    wrong("put with key", 400, "upload-auth", call("PUT", target, png, headers=header, ctype=None))
    wrong("put without header", 403, "upload-header", call("PUT", target, png, auth=None, ctype=None))
    wrong("post to storage", 405, "method", call("POST", target, png, headers=header, auth=None))
    wrong("chunked put", 411, "chunked", call("PUT", target, None, auth=None, ctype=None,
                                              headers={**header, "Transfer-Encoding": "chunked"}))
    post = lambda msg: call("POST", stream, msg)
    hist = lambda off, *rows: post({"files": {HISTORY: {"offset": off, "content": list(rows)}}})
    wrong("unknown member", 400, "stream-body", post({"file": {}}))
    wrong("unknown file", 400, "stream-files", post({"files": {"history.jsonl": {"offset": 0, "content": ["{}"]}}}))
    wrong("chunk as list", 400, "stream-files", post({"files": {HISTORY: [row(3)]}}))
    wrong("string offset", 400, "stream-offset", hist("3", row(3)))
    wrong("true offset", 400, "stream-offset", hist(True, row(3)))
    wrong("negative offset", 400, "stream-offset", hist(-1, row(3)))
    wrong("gap", 400, "stream-offset", hist(4, row(3)))
    wrong("other content", 400, "stream-offset", hist(2, row(3)))
    wrong("content as string", 400, "stream-content",
          post({"files": {HISTORY: {"offset": 3, "content": row(3)}}}))
    wrong("rows as objects", 400, "stream-content",
          post({"files": {HISTORY: {"offset": 3, "content": [json.loads(row(3))]}}}))
    wrong("two rows in one", 400, "stream-content", hist(3, row(3) + "\n" + row(4)))
    wrong("row not json", 400, "row-json", hist(3, "{loss: 1}"))
    wrong("row is a list", 400, "row-json", hist(3, "[1]"))
    wrong("nan spelt wrongly", 400, "row-json", hist(3, '{"_step": 3, "loss": nan}'))
    wrong("no step", 400, "row-step", hist(3, json.dumps({"_timestamp": now, "_runtime": 1, "loss": 1})))
    wrong("float step", 400, "row-step", hist(3, row(3).replace('"_step": 3', '"_step": 3.0')))
    wrong("step back", 400, "row-step", hist(3, row(1)))
    wrong("step again", 400, "row-step", hist(3, row(3), row(3)))
    wrong("milliseconds", 400, "row-clock",
          hist(3, json.dumps({"_step": 3, "_timestamp": now * 1000, "_runtime": 1})))
    wrong("no runtime", 400, "row-clock", hist(3, json.dumps({"_step": 3, "_timestamp": now})))
    media = lambda **kw: hist(3, row(3, v={"_type": "images/separated", "width": 2, "height": 2,
                                           "format": "png", "count": 1, "filenames": [name], **kw}))
    wrong("count", 400, "media-shape", media(count=2))
    wrong("captions", 400, "media-shape", media(captions=[]))
    wrong("folder", 400, "media-shape", media(filenames=["images/x.png"]))
    wrong("width", 400, "media-shape", media(width="2"))
    wrong("image-file digest", 400, "media-shape", hist(3, row(3, v={
        "_type": "image-file", "path": name, "sha256": "x", "size": 1, "format": "png", "width": 2, "height": 2})))
    summ = lambda off, *rows: post({"files": {SUMMARY: {"offset": off, "content": list(rows)}}})
    wrong("summary offset", 400, "summary-shape", summ(1, "{}"))
    wrong("two summaries", 400, "summary-shape", summ(0, "{}", "{}"))
    wrong("console stamp", 400, "console-line", post({"files": {OUTPUT: {"offset": 1, "content": ["hello"]}}}))
    wrong("console gap", 400, "stream-offset",
          post({"files": {OUTPUT: {"offset": 9, "content": ["2025-01-01T00:00:00 x"]}}}))
    wrong("uploaded before put", 400, "uploaded-unknown", post({"uploaded": ["media/images/none.png"]}))
    wrong("complete without code", 400, "stream-exitcode", post({"complete": True}))
    wrong("code without complete", 400, "stream-exitcode", post({"exitcode": 0}))
    wrong("code as string", 400, "stream-exitcode", post({"complete": True, "exitcode": "0"}))
    wrong("complete as string", 400, "stream-body", post({"complete": "true", "exitcode": 0}))
    check("rejected requests changed nothing",
          json.dumps(st.runs[("mock-user", "p", "run1")].as_json()), before)

    # The end, the end again, then anything else.
    s, _ = post({"complete": True, "exitcode": 0})
    check("complete", s, 200)
    s, _ = post({"exitcode": 0, "complete": True})
    check("the same ending again is fine", s, 200)
    wrong("row after the end", 409, "run-complete", hist(3, row(3)))
    check("no violations", st.found["violation"], [])
    # Resume.
    s, a = gql(RESUME, {"project": "p", "entity": None, "name": "run1"})
    b = a["data"]["model"]["bucket"]
    check("resume counts", (b["historyLineCount"], b["logLineCount"], json.loads(json.loads(b["historyTail"])[0])["_step"]),
          (3, 1, 2))
    check("resume marker", json.loads(b["wandbConfig"]), {"t": {"5": "0.0.0"}})
    s, a = gql(UPSERT, {**base, "id": b["id"]})
    check("upsert again", (s, a["data"]["upsertBucket"]["inserted"]), (200, False))
    s, _ = hist(3, row(3, loss=0.1, picture={
        "_type": "image-file", "path": "media/images/never.png", "sha256": "0" * 64, "size": 5,
        "format": "png", "width": 2, "height": 2}))
    check("row after resume", s, 200)
    s, _ = post({"complete": True, "exitcode": 1})
    check("media never put is a violation", [v["code"] for v in st.found["violation"]], ["media-missing"])
    check("state", st.runs[("mock-user", "p", "run1")].state, "failed")

    # Faults.
    def fault(**kw):
        check("set faults", call("POST", "/__mock__/faults", kw, auth=None)[0], 200)

    fault(fail_every=2, fail_status=[503], retry_after=1)
    check("every second fails", [gql(V, {})[0] for _ in range(4)], [200, 503, 200, 503])
    fault(drop=1)
    try:
        gql(V, {})
        bad.append("drop: the request was answered")
    except (ConnectionError, http.client.HTTPException):
        pass
    fault(drop_reply=1, fault_on="UpsertBucket")
    try:
        gql(UPSERT, {**base, "name": "run2"})
        bad.append("drop-reply: the request was answered")
    except (ConnectionError, http.client.HTTPException):
        pass
    check("drop-reply applied the request", ("mock-user", "p", "run2") in st.runs, True)
    fault(run_rate=2)
    codes = [call("POST", "/files/mock-user/p/run2/file_stream", {})[0] for _ in range(3)]
    check("rate limit", codes, [200, 200, 429])
    fault()
    srv.shutdown()
    folder.cleanup()
    sys.stderr = quiet
    for b in bad:
        print("FAILED", b)
    print(f"{len(st.found['rejected'])} wrong requests rejected, {len(bad)} failures")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
