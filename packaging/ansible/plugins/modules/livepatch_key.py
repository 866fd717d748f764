#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The kpatch-pm authors

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: livepatch_key
short_description: Trust keys for live patches, or trust them no longer
description:
  - Imports keys that sign packages, after their fingerprints were compared, and pins a stream of live patches to them.
options:
  fingerprints:
    description: Full fingerprints, with or without blanks. A file that holds a key beside these is refused.
    type: list
    elements: str
    required: true
  path:
    description: File on the managed machine that holds the keys. Needed where one is not trusted yet.
    type: path
  state:
    description: Whether they shall be trusted.
    type: str
    choices: [present, absent]
    default: present
  pin:
    description: A stream (V(rhel)) whose packages only these keys, and others pinned to it, may sign.
    type: str
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
    description: Nothing is changed.
  diff_mode:
    support: full
    description: Shows the trusted fingerprints and the pins before and after.
"""

EXAMPLES = r"""
- name: Only the vendor's release key may patch the kernel
  kpatch_pm.livepatch.livepatch_key:
    fingerprints: [567E 347A D004 4ADE 55BA 8A5F 199E 2F91 FD43 1D51]
    path: /etc/pki/rpm-gpg/vendor-release-key.asc
    pin: rhel
  become: true
"""

RETURN = r"""
keys:
  description: Fingerprints that are trusted afterwards.
  type: list
  elements: str
  returned: always
pins:
  description: What streams are pinned to afterwards.
  type: list
  elements: str
  returned: always
"""

import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kpatch_pm.livepatch.plugins.module_utils.kpatch import COMMON_ARGUMENTS, Kpatch
from ansible_collections.kpatch_pm.livepatch.plugins.module_utils.openpgp import fingerprints


def seen(value):
    """Trusted fingerprints for packages, and pins as `STREAM FPR`, of a keys object."""
    keys = [key["fingerprint"] for key in value.get("keys") or [] if key.get("signs") == "packages"]
    pins = ["%(stream)s %(fingerprint)s" % pin for pin in value.get("pins") or [] if not pin.get("overruled")]
    return sorted(set(keys)), sorted(set(pins))


def compare(module, path, wanted, lacking):
    """Ends the module unless the file holds the lacking keys, and none that was not named."""
    if not path:
        module.fail_json(msg="Not trusted yet: %s; path must name a file that holds them." % ", ".join(lacking))
    try:
        with open(path, "rb") as stream:
            held = fingerprints(stream.read(1024 * 1024))
    except (IOError, OSError, ValueError, IndexError) as error:
        module.fail_json(msg="%s cannot be read as keys: %s" % (path, error))
    strange = [one for one in held if one not in wanted]
    missing = [one for one in lacking if one not in held]
    if strange or missing:
        text = "%s holds %s; nothing was imported. Expected: %s"
        module.fail_json(msg=text % (path, ", ".join(held) or "no key", ", ".join(wanted)))


def main():
    arguments = dict((name, COMMON_ARGUMENTS[name]) for name in ("command", "installroot"))
    arguments.update(
        fingerprints=dict(type="list", elements="str", required=True, no_log=False),
        path=dict(type="path"),
        state=dict(type="str", choices=["present", "absent"], default="present"),
        pin=dict(type="str"),
    )
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    params = module.params
    wanted = [re.sub(r"\s", "", text).upper() for text in params["fingerprints"]]
    for text, fingerprint in zip(params["fingerprints"], wanted):
        if not re.match(r"^(?:[0-9A-F]{40}|[0-9A-F]{64})$", fingerprint):
            module.fail_json(msg="%s is no full fingerprint: 40 or 64 hexadecimal digits." % text)
    kpatch = Kpatch(module)

    def call(*words):
        rc, value, err = kpatch.run("keys", *words, kernels=False)
        kpatch.check(rc, value, err)
        return value

    before = seen(call("list"))
    keys, pins = list(before[0]), list(before[1])
    present = params["state"] == "present"
    lacking = [fingerprint for fingerprint in wanted if fingerprint not in keys]
    if present and lacking:
        compare(module, params["path"], wanted, lacking)
        if not module.check_mode:
            call("import", params["path"], "-y")
        keys += lacking
    for fingerprint in wanted if present and params["pin"] else []:
        pin = "%s %s" % (params["pin"], fingerprint)
        if pin not in pins:
            if not module.check_mode:
                call("pin", params["pin"], fingerprint, "-y")
            pins.append(pin)
    for fingerprint in [] if present else wanted:
        if fingerprint in keys:
            if not module.check_mode:
                call("remove", fingerprint, "-y")
            keys.remove(fingerprint)
            pins = [pin for pin in pins if not pin.endswith(" " + fingerprint)]
    after = (sorted(keys), sorted(pins)) if module.check_mode else seen(call("list"))
    result = dict(changed=after != before, keys=after[0], pins=after[1])
    if module._diff:
        result["diff"] = dict(
            before_header="trusted keys", after_header="trusted keys", before=text_of(*before), after=text_of(*after)
        )
    module.exit_json(**result)


def text_of(keys, pins):
    return "".join("key %s\n" % key for key in keys) + "".join("pin %s\n" % pin for pin in pins)


if __name__ == "__main__":
    main()
