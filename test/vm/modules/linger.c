// SPDX-License-Identifier: GPL-2.0
/*
 * linger: keeps a task inside linger_wait(), so that a live patch which replaces that function cannot finish.
 *   thread=1        a kernel thread waits there, deaf to the kernel's signals
 *   thread=0        whoever reads /proc/linger waits there, and can be signalled
 *   seconds=N       the thread leaves after N seconds (0: never by itself)
 *   echo 1 > /sys/module/linger/parameters/leave    lets everybody out
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

static bool thread = true;
module_param(thread, bool, 0444);
static uint seconds;
module_param(seconds, uint, 0444);
static bool leave;
module_param(leave, bool, 0644);

static DECLARE_WAIT_QUEUE_HEAD(nobody_wakes);
static struct task_struct *lingerer;
static unsigned long began;

static bool may_leave(void)
{
	if (READ_ONCE(leave) || (lingerer && kthread_should_stop()))
		return true;
	return seconds && time_after(jiffies, began + seconds * HZ);
}

/* Its own frame must stay on the stack: not inlined, no tail call. */
noinline int linger_wait(bool interruptible)
{
	int interrupted = 0;

	while (!may_leave() && !interrupted) {
		if (interruptible)
			interrupted = wait_event_interruptible_timeout(nobody_wakes, may_leave(), HZ / 4) < 0;
		else
			wait_event_idle_timeout(nobody_wakes, may_leave(), HZ / 4);
	}
	barrier();
	return interrupted ? -ERESTARTSYS : 0;
}

static int linger_thread(void *unused)
{
	while (!kthread_should_stop()) {
		linger_wait(false);
		schedule_timeout_idle(HZ / 10);
	}
	return 0;
}

static int linger_show(struct seq_file *out, void *unused)
{
	int error = linger_wait(true);

	if (!error)
		seq_puts(out, "left\n");
	return error;
}

static int __init linger_init(void)
{
	began = jiffies;
	if (!proc_create_single("linger", 0444, NULL, linger_show))
		return -ENOMEM;
	if (!thread)
		return 0;
	lingerer = kthread_create(linger_thread, NULL, "linger");
	if (IS_ERR(lingerer)) {
		remove_proc_entry("linger", NULL);
		return PTR_ERR(lingerer);
	}
	wake_up_process(lingerer);
	return 0;
}

static void __exit linger_exit(void)
{
	WRITE_ONCE(leave, true);
	if (lingerer)
		kthread_stop(lingerer);
	remove_proc_entry("linger", NULL);
}

module_init(linger_init);
module_exit(linger_exit);
MODULE_DESCRIPTION("keeps tasks inside one function, to stall a test live patch");
MODULE_LICENSE("GPL");
