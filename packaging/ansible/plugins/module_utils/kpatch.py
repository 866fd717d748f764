# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The kpatch-pm authors
"""Calls kpatch-pm and reads its JSON. What its objects promise: docs/contract.md of kpatch-pm."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import shlex

FORMAT = 1

COMMON_ARGUMENTS = dict(
    command=dict(type="str", default="kpatch-pm"),
    installroot=dict(type="path"),
    kernels=dict(type="list", elements="str", default=[]),
)


class Kpatch(object):
    """The program on the managed host."""

    def __init__(self, module):
        self.module = module
        words = shlex.split(module.params["command"])
        if not words:
            module.fail_json(msg="command is empty")
        self.words = [module.get_bin_path(words[0], required=True)] + words[1:]
        if module.params.get("installroot"):
            self.words += ["--installroot", module.params["installroot"]]
        self.kernels = [word for kernel in module.params.get("kernels") or [] for word in ("--kernel", kernel)]

    def run(self, verb, *words, **options):
        """Runs a verb with --json. Gives (exit status, object, standard error); ends the module where there is no object."""
        kernels = self.kernels if options.get("kernels", True) else []
        command = self.words + [verb, "--json"] + kernels + [word for word in words]
        status, out, err = self.module.run_command(command)
        try:
            value = json.loads(out)
        except ValueError:
            self.module.fail_json(
                msg="%s gave no answer that can be read: %s" % (" ".join(command), err.strip() or out.strip()),
                rc=status,
                cmd=command,
            )
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            self.module.fail_json(
                msg="%s answers in a format that this collection does not know; both must fit." % " ".join(command),
                rc=status,
                cmd=command,
            )
        return status, value, err

    def status(self, *words):
        """What `status --json` says. Ends the module where the program could not tell."""
        rc, value, err = self.run("status", *words)
        self.check(rc, value, err)
        return value

    def check(self, rc, value, err, **more):
        """Ends the module where the run failed, with what the program says and what to do."""
        error = value.get("error")
        if rc == 0 and not error:
            return
        self.module.fail_json(msg=told(error) or err.strip() or "kpatch-pm ended with %d" % rc, rc=rc, error=error, **more)


def told(error):
    """One line of an error object."""
    if not error:
        return None
    hint = error.get("hint")
    return "%s [%s]%s" % (error.get("text"), error.get("code"), " %s" % hint if hint else "")


def installed_of(status):
    """kernel release -> names of what is installed for it, sorted, of a status object."""
    found = {}
    for kernel in status.get("kernels") or []:
        names = [one.get("nevra") or one.get("file") for one in kernel.get("installed") or []]
        found[kernel["release"]] = sorted(name for name in names if name)
    return found


def settings_of(status):
    """update and filter, as the modules' options name them."""
    settings = status.get("settings") or {}
    return {
        "update": "auto" if settings.get("autoupdate") else "manual",
        "filter": "auto-filter" if settings.get("autofilter") else "no-filter",
    }
