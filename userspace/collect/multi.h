/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Private to collect/. */
#ifndef QUERYTAP_COLLECT_MULTI_H
#define QUERYTAP_COLLECT_MULTI_H

/* BPF_TRACE_UPROBE_MULTI of <linux/bpf.h>, which Debian 12's headers are too old to name. */
#define ATTACH_TYPE_UPROBE_MULTI 48

#endif
