#!/usr/bin/python
# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The kpatch-pm authors

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: livepatch_info
short_description: What live patches a machine has, and whether it is healthy with them
description:
  - Asks C(kpatch-pm) for its status, proves layer by layer whether the kernel is protected, lists what the crash guard has in
    quarantine, and reads the kernel's log for trouble.
  - Changes nothing.
options:
  command:
    description: The program, with words that always go with it.
    type: str
    default: kpatch-pm
  installroot:
    description: Work on the system below this directory instead of the running one.
    type: path
  kernels:
    description: Only these installed kernels, named by their full C(uname -r).
    type: list
    elements: str
    default: []
  refresh:
    description: Ask the repositories for newer metadata first. Without it nothing touches the network.
    type: bool
    default: false
  cves:
    description: Also list the CVEs of each kernel and their states.
    type: bool
    default: false
  since:
    description:
      - The RV(kernel_log.last) of an earlier call. Records of the kernel's log up to it are not looked at.
      - After a reboot the numbers begin anew; the whole log of this boot then counts.
    type: int
  kernel_log:
    description: Where records of the kernel's log are read, in the form of C(/dev/kmsg). An empty text reads none.
    type: str
    default: /dev/kmsg
author:
  - The kpatch-pm authors (@kpatch-pm)
attributes:
  check_mode:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Look at the machine
  kpatch_pm.livepatch.livepatch_info:
    refresh: true
  become: true
  register: before

- name: Stop where live patching did harm
  ansible.builtin.assert:
    that: before.healthy
    fail_msg: "{{ before.reasons | join('; ') }}"
"""

RETURN = r"""
status:
  description: The object of C(kpatch-pm status --json).
  type: dict
  returned: always
verify:
  description: The object of C(kpatch-pm verify --json).
  type: dict
  returned: always
cves:
  description: The object of C(kpatch-pm cves --json).
  type: dict
  returned: when O(cves) is set
quarantine:
  description: What the crash guard took out of use.
  type: list
  elements: dict
  returned: always
installed:
  description: By kernel, what is installed for it.
  type: dict
  returned: always
waiting:
  description: By kernel, the level that waits for its turn in a rollout configured on the machine itself.
  type: dict
  returned: always
protected:
  description: Whether the running kernel, or each kernel where none of this root runs, is proven to have (or to boot with) the newest level.
  type: bool
  returned: always
healthy:
  description: Whether nothing speaks against going on. A kernel for which nobody offers live patches is no fault, nor is a
      level that a hold, or a rollout configured on the machine itself, keeps back.
  type: bool
  returned: always
reasons:
  description: Why it is not healthy, one sentence each.
  type: list
  elements: str
  returned: always
kernel_log:
  description: RV(kernel_log.last) is the number of the newest record, RV(kernel_log.trouble) the records that tell of harm.
  type: dict
  returned: always
  contains:
    read:
      description: Whether it could be read.
      type: bool
    last:
      description: Number of the newest record.
      type: int
    trouble:
      description: Text of the records that tell of harm.
      type: list
      elements: str
"""

import errno
import os
import re

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kpatch_pm.livepatch.plugins.module_utils.kpatch import COMMON_ARGUMENTS, Kpatch, installed_of, told

# What a kernel says when it is hurt, or when a live patch failed. Source: the kernel's own messages (kernel/panic.c, lib/bug.c,
# kernel/livepatch/*.c, kernel/watchdog.c, kernel/hung_task.c).
TROUBLE = re.compile(
    r"^(?:BUG|WARNING): |\bOops: |general protection fault|kernel BUG at|Unable to handle kernel|unable to handle page fault"
    r"|soft lockup|hard LOCKUP|blocked for more than \d+ seconds|rcu.*detected.*stall|scheduling while atomic"
    r"|(?i:livepatch: .*(?:failed|error|invalid|refus|unable))"
)

# Verdicts that mean harm or unfinished work, whatever the metadata say.
HARM = ("quarantined", "transition-stalled", "installed-not-loaded")
# A level is on offer and not taken.
KEPT_BACK = ("update-available", "not-installed")
# Nobody offers live patches: not protected, and no fault of a rollout.
NOTHING_THERE = ("no-patch-stream", "subscribed-no-fix")


def kernel_log(path, since):
    """The newest record's number and the troubling texts after `since`. Source of the form: Documentation/ABI/testing/dev-kmsg."""
    if not path:
        return dict(read=False, last=since or 0, trouble=[])
    try:
        text = read_records(path)
    except (IOError, OSError):
        return dict(read=False, last=since or 0, trouble=[])
    records = []
    for line in text.split("\n"):
        match = re.match(r"(\d+),(\d+),(?:\d+),[^;]*;(.*)", line)
        # Facility 0 is the kernel itself: a program cannot feign it.
        if match and int(match.group(1)) >> 3 == 0:
            records.append((int(match.group(2)), match.group(3)))
    last = max([number for number, _text in records] or [0])
    # Numbers begin anew at every boot.
    after = since if since is not None and since <= last else -1
    trouble = [found for number, found in records if number > after and TROUBLE.search(found)]
    return dict(read=True, last=last, trouble=trouble)


def read_records(path):
    chunks = []
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                chunk = os.read(descriptor, 65536)
            except OSError as error:
                if error.errno == errno.EPIPE:  # records were overwritten meanwhile
                    continue
                if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
                    break
                raise
            if not chunk:
                break
            chunks.append(chunk.decode("utf-8", "replace"))
    finally:
        os.close(descriptor)
    return "".join(chunks)


def judge(status, verify, quarantine, log):
    """Whether the newest level is proven, and every reason against going on."""
    reasons = ["%s is in quarantine: %s" % (one.get("module"), one.get("why")) for one in quarantine]
    verdicts = dict((kernel["release"], kernel) for kernel in status["kernels"])
    runs = [kernel for kernel in status["kernels"] if kernel.get("running")]
    concerned = runs or status["kernels"]
    for kernel in concerned:
        if kernel["verdict"] in HARM:
            reasons.append("%s: %s: %s" % (kernel["release"], kernel["verdict"], kernel["because"]["text"]))
    proofs = []
    for proof in verify.get("kernels") or []:
        kernel = verdicts.get(proof["release"])
        if kernel is None or kernel not in concerned:
            continue
        proofs.append(proof["proof"] in ("protected", "ready"))
        if proofs[-1] or kernel["verdict"] in HARM + NOTHING_THERE:
            continue
        # What somebody keeps back on purpose is not the newest level, and no fault either.
        if kernel["verdict"] in KEPT_BACK and (kernel.get("held") or kernel.get("rollout")):
            continue
        first = proof.get("first") or {}
        reasons.append("%s: %s: %s" % (proof["release"], proof["proof"], first.get("text", "")))
    reasons += ["the kernel's log: %s" % text for text in log["trouble"]]
    return bool(proofs) and all(proofs), reasons


def main():
    arguments = dict(
        COMMON_ARGUMENTS,
        refresh=dict(type="bool", default=False),
        cves=dict(type="bool", default=False),
        since=dict(type="int"),
        kernel_log=dict(type="str", default="/dev/kmsg"),
    )
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    kpatch = Kpatch(module)
    status = kpatch.status(*(["--refresh"] if module.params["refresh"] else []))
    _rc, verify, _err = kpatch.run("verify")
    if verify.get("error"):
        module.fail_json(msg=told(verify["error"]), error=verify["error"], status=status)
    rc, kept, err = kpatch.run("quarantine", "list", kernels=False)
    kpatch.check(rc, kept, err)
    log = kernel_log(module.params["kernel_log"], module.params["since"])
    quarantine = kept.get("modules") or []
    protected, reasons = judge(status, verify, quarantine, log)
    result = dict(
        changed=False,
        status=status,
        verify=verify,
        quarantine=quarantine,
        installed=installed_of(status),
        waiting=dict((one["release"], one["rollout"]) for one in status["kernels"] if one.get("rollout")),
        protected=protected,
        healthy=not reasons,
        reasons=reasons,
        kernel_log=log,
    )
    if module.params["cves"]:
        rc, result["cves"], err = kpatch.run("cves")
        kpatch.check(rc, result["cves"], err)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
