#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The kpatch-pm authors

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: livepatch
short_description: Install, upgrade and remove kernel live patches, and set how they are taken
description:
  - Brings the installed kernels of a machine to their newest live patches, or to those that are named, with C(kpatch-pm).
  - The running kernel gets its level at once, unless O(load=false). Success of a load is read in sysfs by C(kpatch-pm).
options:
  state:
    description:
      - V(latest) brings every kernel, or what O(name) names, to the highest usable level. What is named comes even where a rollout
        configured on the machine itself would let it wait, or a person has put it on hold.
      - V(present) makes sure that what O(name) names is installed, in whatever level.
      - V(absent) takes away what O(name) names, and keeps automatic runs from bringing it back. The running kernel keeps a removed patch until its next boot.
      - V(unchanged) touches no package; for O(update) and O(filter) alone.
    type: str
    choices: [latest, present, absent, unchanged]
    default: latest
  name:
    description: Names, levels or patterns of live patches, as C(kpatch-pm install) takes them.
    type: list
    elements: str
    default: []
    aliases: [names]
  kernels:
    description: Only these installed kernels, named by their full C(uname -r).
    type: list
    elements: str
    default: []
  update:
    description: Whether the machine takes live patches by itself from now on. V(auto) also enables the timer of C(kpatch-pm). Left alone where it is not given.
    type: str
    choices: [auto, manual]
  filter:
    description: Whether dnf offers only kernels with live patches. Left alone where it is not given.
    type: str
    choices: [auto-filter, no-filter]
  load:
    description: Load into the running kernel; otherwise the level waits for the next boot.
    type: bool
    default: true
  refresh:
    description: Ask the repositories for newer metadata, however fresh the cache is.
    type: bool
    default: false
  accept_repository_keys:
    description:
      - Accept the keys that a repository names with C(gpgkey=), as dnf does with C(-y). Otherwise only keys that are trusted
        already, or that a verified package of the machine owns, count.
    type: bool
    default: false
  lock_timeout:
    description: Seconds to wait for another run of C(kpatch-pm) or of rpm.
    type: int
    default: 300
  command:
    description: The program, with words that always go with it.
    type: str
    default: kpatch-pm
  installroot:
    description: Work on the system below this directory instead of the running one.
    type: path
author:
  - The kpatch-pm authors (@kpatch-pm)
attributes:
  check_mode:
    support: full
    description: The plan is made by C(kpatch-pm --dry-run); nothing is changed, but metadata may be fetched.
  diff_mode:
    support: full
    description: Shows what is installed for each kernel, and the settings, before and after.
"""

EXAMPLES = r"""
- name: Every kernel on its newest live patch, now and from now on
  kpatch_pm.livepatch.livepatch:
    update: auto
  become: true

- name: One level, on this machine only when it is told
  kpatch_pm.livepatch.livepatch:
    name: kpatch-patch-5_14_0-427_13_1-1-2.el9_4
    update: manual
  become: true

- name: Only kernels with live patches from now on
  kpatch_pm.livepatch.livepatch:
    state: unchanged
    filter: auto-filter
  become: true
"""

RETURN = r"""
actions:
  description: What was done, or would be, as C(kpatch-pm --json) lists it.
  type: list
  elements: dict
  returned: always
skipped_kernels:
  description: The kernels for which nothing was to be done, and why.
  type: list
  elements: dict
  returned: always
installed:
  description: By kernel, what is installed for it afterwards.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kpatch_pm.livepatch.plugins.module_utils.kpatch import (
    COMMON_ARGUMENTS,
    Kpatch,
    installed_of,
    settings_of,
    told,
)

TAKING = ("install", "upgrade", "downgrade", "reinstall")


class Run(object):
    """The verbs that were run, and what they came to."""

    def __init__(self, module, kpatch):
        self.module = module
        self.kpatch = kpatch
        self.before = kpatch.status()
        self.actions = []
        self.skipped = []

    def verb(self, verb, *words, **options):
        """Carries out a verb, or only plans it in check mode."""
        params = self.module.params
        arguments = []
        if self.module.check_mode:
            arguments.append("--dry-run")
        else:
            arguments += ["--lock-timeout", str(params["lock_timeout"])]
            arguments.append("-y" if params["accept_repository_keys"] else "--unattended")
        if options.get("takes"):
            arguments += [] if params["load"] else ["--no-load"]
            arguments += ["--refresh"] if params["refresh"] else []
        rc, value, err = self.kpatch.run(verb, *(arguments + list(words)), kernels=options.get("kernels", True))
        self.actions += value.get("actions") or []
        self.skipped += value.get("skipped") or []
        if rc != 0 or value.get("error"):
            message = told(value.get("error")) or err.strip() or "kpatch-pm ended with %d" % rc
            # What was done before the fault stays done, and is told.
            self.module.fail_json(msg=message, rc=rc, error=value.get("error"), **self.result())

    def changed(self):
        """Something was done, or would be."""
        return any(action.get("outcome", "done") == "done" for action in self.actions)

    def planned(self):
        """What would be installed, and the settings, once the planned actions are carried out."""
        installed = dict((kernel, list(names)) for kernel, names in installed_of(self.before).items())
        settings = settings_of(self.before)
        for action in self.actions:
            names = installed.setdefault(action["kernel"], []) if action.get("kernel") else []
            if action["do"] in TAKING:
                gone = action.get("replaces")
                if gone in names:
                    names.remove(gone)
                if action["nevra"] not in names:
                    names.append(action["nevra"])
            elif action["do"] == "remove" and action["nevra"] in names:
                names.remove(action["nevra"])
            elif action["do"] == "setting":
                setting = action["setting"]
                words = {"autoupdate": ("update", "auto", "manual"), "autofilter": ("filter", "auto-filter", "no-filter")}
                name, on, off = words[setting["name"]]
                settings[name] = on if setting["value"] else off
        return dict((kernel, sorted(names)) for kernel, names in installed.items()), settings

    def result(self):
        """Everything that is returned, of a run that went well as of one that did not."""
        if self.module.check_mode:
            installed, settings = self.planned()
        else:
            after = self.kpatch.status() if self.changed() else self.before
            installed, settings = installed_of(after), settings_of(after)
        result = dict(changed=self.changed(), actions=self.actions, skipped_kernels=self.skipped, installed=installed)
        if self.module._diff:
            result["diff"] = dict(
                before_header="live patches",
                after_header="live patches",
                before=text_of(installed_of(self.before), settings_of(self.before)),
                after=text_of(installed, settings),
            )
        return result


def text_of(installed, settings):
    """One line a setting and a kernel, for people who read a diff."""
    lines = ["update: %(update)s" % settings, "filter: %(filter)s" % settings]
    lines += ["%s: %s" % (kernel, ", ".join(installed[kernel]) or "-") for kernel in sorted(installed)]
    return "\n".join(lines) + "\n"


def lacking(names, status):
    """Those names that nothing installed answers to: by name, by name-version-release, by NEVRA."""
    known = set()
    for nevras in installed_of(status).values():
        for nevra in nevras:
            whole = nevra.rpartition(".")[0]
            known.update([nevra, whole, whole.rpartition("-")[0].rpartition("-")[0]])
    return [name for name in names if name not in known]


def main():
    arguments = dict(
        COMMON_ARGUMENTS,
        state=dict(type="str", choices=["latest", "present", "absent", "unchanged"], default="latest"),
        name=dict(type="list", elements="str", default=[], aliases=["names"]),
        update=dict(type="str", choices=["auto", "manual"]),
        filter=dict(type="str", choices=["auto-filter", "no-filter"]),
        load=dict(type="bool", default=True),
        refresh=dict(type="bool", default=False),
        accept_repository_keys=dict(type="bool", default=False),
        lock_timeout=dict(type="int", default=300),
    )
    module = AnsibleModule(
        argument_spec=arguments,
        supports_check_mode=True,
        required_if=[("state", "present", ["name"]), ("state", "absent", ["name"])],
    )
    params = module.params
    run = Run(module, Kpatch(module))
    names = params["name"]
    if params["state"] in ("present", "absent") and not names:
        module.fail_json(msg="state=%s needs a name" % params["state"])
    # `auto` is `install` and the setting in one: the setting is written when every package came, and before anything is loaded.
    auto = params["update"] == "auto" and params["state"] == "latest" and not names and not params["kernels"]
    if auto:
        run.verb("auto", takes=True)
    elif params["state"] == "latest":
        run.verb("install", *names, takes=True)
    elif params["state"] == "present":
        wanted = lacking(names, run.before)
        if wanted:
            run.verb("install", *wanted, takes=True)
    elif params["state"] == "absent":
        run.verb("remove", *names)
    settings = settings_of(run.before)
    if params["update"] == "manual" and settings["update"] != "manual":
        run.verb("manual", kernels=False)
    if params["update"] == "auto" and not auto and settings["update"] != "auto":
        module.fail_json(msg="update=auto goes with state=latest, without name and kernels", **run.result())
    if params["filter"] and settings["filter"] != params["filter"]:
        run.verb(params["filter"], kernels=False)
    module.exit_json(**run.result())


if __name__ == "__main__":
    main()
