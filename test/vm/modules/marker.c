// SPDX-License-Identifier: GPL-2.0
/*
 * marker: a live patch whose effect anybody can see: /proc/version ends in "[patched LEVEL]".
 * One source, many modules; the build sets:
 *   LEVEL         text of the marker
 *   CUMULATIVE    1: atomic replace, as vendors build them; 0: stacks on what is there
 *   BLOCKED       also replaces linger_wait() of linger.ko, which tasks can be kept inside
 *   NO_SUCH       also names a function that no kernel has
 *   REFUSE        the init function gives up with this errno
 *   VETO          the pre-patch callback gives up with this errno
 *   CRASH         the init function brings the machine down
 *   HANG          the init function sleeps for ten minutes, and no signal ends it
 *   ORDINARY      no live patch at all: same source, no livepatch mark
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

#ifndef CUMULATIVE
#define CUMULATIVE 1
#endif

static int marked_version_proc_show(struct seq_file *out, void *unused)
{
	struct new_utsname *name = utsname();

	seq_printf(out, "%s version %s %s [patched " LEVEL "]\n", name->sysname, name->release, name->version);
	return 0;
}

static struct klp_func kernel_functions[] = {
	{
		.old_name = "version_proc_show",
		.new_func = marked_version_proc_show,
	},
#ifdef NO_SUCH
	{
		.old_name = "marker_no_such_function",
		.new_func = marked_version_proc_show,
	},
#endif
	{}
};

#ifdef BLOCKED
static int linger_wait_not(bool interruptible)
{
	return 0;
}

static struct klp_func linger_functions[] = {
	{
		.old_name = "linger_wait",
		.new_func = linger_wait_not,
	},
	{}
};
#endif

#ifdef VETO
static int veto(struct klp_object *object)
{
	return -(VETO);
}
#endif

static struct klp_object objects[] = {
	{
		.name = NULL, /* the kernel itself */
		.funcs = kernel_functions,
#ifdef VETO
		.callbacks = { .pre_patch = veto },
#endif
	},
#ifdef BLOCKED
	{
		.name = "linger",
		.funcs = linger_functions,
	},
#endif
	{}
};

static struct klp_patch patch __maybe_unused = {
	.mod = THIS_MODULE,
	.objs = objects,
	.replace = CUMULATIVE,
};

static int __init marker_init(void)
{
#if defined(REFUSE)
	return -(REFUSE);
#elif defined(CRASH)
	panic("marker: a live patch that brings the machine down");
#elif defined(HANG)
	msleep(600 * 1000);
	return -ENODEV;
#elif defined(ORDINARY)
	return 0;
#else
	return klp_enable_patch(&patch);
#endif
}

static void __exit marker_exit(void)
{
}

module_init(marker_init);
module_exit(marker_exit);
MODULE_DESCRIPTION("test live patch, level " LEVEL);
MODULE_LICENSE("GPL");
#ifndef ORDINARY
MODULE_INFO(livepatch, "Y");
#endif
