// SPDX-License-Identifier: MIT OR Apache-2.0
// The rows of the tree that can be seen when scrolling: threads, nodes, and runs of like siblings, each below what it
// lies in. A row has a `key` that stays the same: t0 (a thread by number), n12 (a node), r12 (a run by its first node).
'use strict';
const ROW_HEIGHT = 26;
const THREAD_HEIGHT = 34;
const HEIGHTS = { 'frac-50': 44, 'frac-40': 40, 'frac-30': 36, 'frac-20': 32, 'frac-10': 30 };
const BOX_GAP = 3;
const BOX_FOOT = 3;
const SHORTEST_RUN = 3;

// A row: where it stands in the tree and on the screen.
class Row {
	constructor(key, type, level, up, place, siblings, thread) {
		this.key = key;
		this.type = type; // 'thread', 'node' or 'run'
		this.level = level;
		this.up = up; // the row it lies in, or -1
		this.place = place; // among its siblings
		this.siblings = siblings;
		this.thread = thread;
		this.node = -1; // of a run, the first
		this.count = 1;
		this.opens = Boolean(thread);
		this.isOpen = false;
		this.number = 0;
		this.last = 0; // the last row that lies in it
		this.top = 0;
		this.height = THREAD_HEIGHT;
		this.bottom = 0; // of the box around all that lies in it
		this.about = null; // what describe() says of it
	}
}

class Rows {
	constructor(trace) {
		this.trace = trace;
		this.open = new Set();
		this.items = new Map();
		this.runs = new Map();
		this.thread = null;
		this.filter = null;
		this.rows = [];
		this.found = 0;
		this.height = 0;
		this.deepest = 0;
	}

	// The row with the key, or undefined.
	row(key) {
		if (this.rows[this.found]?.key !== key)
			this.found = this.rows.findIndex((row) => row.key === key);
		return this.rows[this.found];
	}

	// Shows a thread alone; null shows all.
	chooseThread(thread) {
		this.thread = thread;
	}

	// Shows only what has matches in it; null shows all.
	setFilter(filter) {
		this.filter = filter;
		this.items.clear();
		this.runs.clear();
	}

	// Whether consecutive siblings make a run: results that were in memory, or the same query, cheap each time.
	alike(one, other) {
		if (one.kind === HIT || other.kind === HIT)
			return one.kind === other.kind;
		return (
			one.label === other.label &&
			one.kind === other.kind &&
			fractionClass(this.trace.fraction(one)) === 'frac-0' &&
			fractionClass(this.trace.fraction(other)) === 'frac-0'
		);
	}

	// Siblings as items { key, node, count }: runs, and nodes that are in none, with the count 1.
	group(first, count) {
		const runs = [];
		let last = null;
		for (let i = first; i < first + count; i++) {
			const node = this.trace.get(i);
			if (this.filter && !this.filter.within(node))
				continue;
			const run = runs.at(-1);
			if (run && run.node + run.count === i && this.alike(last, node))
				run.count++;
			else
				runs.push({ key: `r${i}`, node: i, count: 1 });
			last = node;
		}
		return runs.flatMap((run) =>
			run.count >= (this.trace.get(run.node).kind === HIT ? 2 : SHORTEST_RUN) ? run : this.singly(run),
		);
	}

	singly(run) {
		return Array.from({ length: run.count }, (_, i) => ({ key: `n${run.node + i}`, node: run.node + i, count: 1 }));
	}

	// What is to be shown below a row, or below nothing for a thread that is shown alone.
	async itemsOf(key) {
		const number = Number(key.slice(1));
		let [first, count] = [number, 0];
		if (this.items.has(key))
			return this.items.get(key);
		if (key[0] === 'r') {
			this.items.set(key, this.singly(this.runs.get(key)));
			return this.items.get(key);
		}
		if (key[0] === 't') {
			[first, count] = [this.trace.threads[number].first, this.trace.threads[number].roots];
		} else {
			await this.trace.load(number);
			const node = this.trace.get(number);
			[first, count] = [node.inner, node.extent];
		}
		if (count)
			await this.trace.load(first);
		const items = this.group(first, count);
		for (const item of items) {
			if (item.count > 1)
				this.runs.set(item.key, item);
		}
		this.items.set(key, items);
		return items;
	}

	async openRow(key) {
		await this.itemsOf(key);
		this.open.add(key);
	}

	closeRow(key) {
		this.open.delete(key);
	}

	closeAll() {
		this.open.clear();
	}

	// Opens all that the node lies in; returns its key.
	async reveal(node) {
		const path = await this.trace.ancestors(node);
		const keys = [`t${this.trace.threadOf(node).number}`, ...path.map((ancestor) => `n${ancestor}`)];
		const targets = [...path, node];
		for (const [i, key] of keys.entries()) {
			await this.openRow(key);
			const run = this.items.get(key).find((item) => item.node <= targets[i] && targets[i] < item.node + item.count);
			if (run && run.count > 1)
				await this.openRow(run.key);
		}
		return `n${node}`;
	}

	// Opens what takes `fraction` of the whole or more, and nothing else.
	async openFrom(fraction) {
		this.closeAll();
		const keys = this.shownThreads().map((thread) => `t${thread.number}`);
		while (keys.length) {
			const key = keys.pop();
			await this.openRow(key);
			for (const item of this.items.get(key)) {
				const node = this.trace.get(item.node);
				if (item.count === 1 && node.extent && this.trace.fraction(node) >= fraction)
					keys.push(item.key);
			}
		}
	}

	shownThreads() {
		return this.trace.threads.filter((thread) => thread.roots && (this.thread ?? thread) === thread);
	}

	// Whether threads have rows of their own.
	hasThreadRows() {
		return this.shownThreads().length > 1;
	}

	// Makes the list of rows anew from what is open. The items of what is open must have been asked for, since the
	// filter was set: see refresh.
	lay() {
		const threads = this.shownThreads().map((thread) => ({ key: `t${thread.number}`, thread }));
		const blocks = [{ items: threads, next: 0, level: 0, up: -1 }];
		this.rows = [];
		this.height = BOX_GAP;
		this.deepest = 0;
		if (threads.length && !this.hasThreadRows())
			blocks[0].items = this.items.get(threads[0].key);
		while (blocks.length) {
			const block = blocks.at(-1);
			if (block.next < block.items.length) {
				const row = this.rowOf(block);
				this.startRow(row);
				if (row.isOpen)
					blocks.push({ items: this.items.get(row.key), next: 0, level: row.level + 1, up: row.number });
				else
					this.endRow(row);
			} else {
				blocks.pop();
				if (block.up >= 0)
					this.endRow(this.rows[block.up]);
			}
		}
	}

	// The same, for rows whose items may not be there.
	async refresh() {
		const keys = this.shownThreads().map((thread) => `t${thread.number}`);
		while (keys.length) {
			const key = keys.pop();
			if (!this.open.has(key) && this.hasThreadRows() && key[0] === 't')
				continue;
			for (const item of await this.itemsOf(key)) {
				if (this.open.has(item.key))
					keys.push(item.key);
			}
		}
		this.lay();
	}

	// The row of the next item of a block of siblings.
	rowOf(block) {
		const { key, node, count, thread } = block.items[block.next];
		const type = thread ? 'thread' : count > 1 ? 'run' : 'node';
		const row = new Row(key, type, block.level, block.up, block.next++, block.items.length, thread);
		if (!thread) {
			const chunk = this.trace.chunkWith(node);
			const share = this.trace.fraction({ duration: chunk.duration[node - chunk.first] });
			row.node = node;
			row.count = count;
			row.opens = count > 1 || chunk.extent[node - chunk.first] > 0;
			row.height = share > 0.1 && count === 1 ? HEIGHTS[fractionClass(share)] : ROW_HEIGHT;
		}
		row.isOpen = row.opens && this.open.has(key);
		return row;
	}

	startRow(row) {
		row.number = this.rows.length;
		row.top = this.height;
		this.rows.push(row);
		this.deepest = Math.max(this.deepest, row.level);
		this.height += row.height + (row.isOpen ? BOX_GAP : 0);
	}

	endRow(row) {
		this.height += row.isOpen ? BOX_FOOT : 0;
		row.last = this.rows.length - 1;
		row.bottom = this.height;
		this.height += BOX_GAP;
	}

	// The last row that begins at or above `y`.
	at(y) {
		let low = 0;
		for (let high = this.rows.length; high - low > 1; ) {
			const middle = (low + high) >> 1;
			if (this.rows[middle].top <= y)
				low = middle;
			else
				high = middle;
		}
		return low;
	}
}
