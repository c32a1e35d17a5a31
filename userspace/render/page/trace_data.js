// SPDX-License-Identifier: MIT OR Apache-2.0
// The trace: an overview that is there at once, and nodes in chunks that are unpacked when something asks for them.
// userspace/render/trace_chunks.h describes a chunk's form. Times are nanoseconds; nodes go by their number.
'use strict';
const KINDS = ['miss', 'hit', 'pass', 'load', 'hashing', 'blocked', 'other'];
const HIT = 1;
const COLUMNS = 9;

// Reads numbers of 7-bit groups. They may need more than 32 bits, so the upper groups are multiplied, not shifted.
class Numbers {
	constructor(bytes, at) {
		this.bytes = bytes;
		this.at = at;
	}

	next() {
		let byte = this.bytes[this.at++];
		let number = byte & 0x7f;
		for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
			byte = this.bytes[this.at++];
			number += (byte & 0x7f) * factor;
		}
		return number;
	}

	signed() {
		const number = this.next();
		return number % 2 ? -(number + 1) / 2 : number / 2;
	}
}

async function unpack(base64) {
	const digits = atob(base64);
	const packed = new Uint8Array(digits.length);
	for (let i = 0; i < packed.length; i++)
		packed[i] = digits.charCodeAt(i);
	const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The columns of the chunk that begins with node `first`.
function readChunk(bytes, first) {
	const head = new Numbers(bytes, 0);
	const count = head.next();
	head.next();
	const sizes = Array.from({ length: COLUMNS }, () => head.next());
	let at = head.at;
	const [blocks, labels, kinds, gaps, durations, extents, depths, selves, texts] = sizes.map((size) => {
		at += size;
		return new Numbers(bytes, at - size);
	});
	const chunk = {
		first,
		count,
		label: new Uint32Array(count),
		kind: bytes.slice(kinds.at, kinds.at + count),
		start: new Float64Array(count),
		duration: new Float64Array(count),
		self: new Float64Array(count),
		extent: new Uint32Array(count),
		below: new Uint32Array(count),
		inner: new Uint32Array(count),
		parent: new Int32Array(count),
		depth: new Uint32Array(count),
		arguments: sizes[COLUMNS - 1] ? new Array(count) : null,
	};
	let parent = 0;
	let start = 0;
	let depth = 0;
	for (let i = 0; i < count; ) {
		const begin = i;
		const end = i + blocks.next();
		let inner = first + end;
		let time = (parent += blocks.signed(), start += blocks.signed());
		depth += blocks.signed();
		for (; i < end; i++) {
			const duration = chunk.kind[i] === HIT ? 0 : durations.next();
			const extent = extents.next();
			time += i > begin ? gaps.signed() : 0;
			chunk.label[i] = labels.next();
			chunk.start[i] = time;
			chunk.duration[i] = duration;
			chunk.extent[i] = extent;
			chunk.below[i] = extent ? extent + depths.next() : 0;
			chunk.self[i] = extent ? selves.signed() : duration;
			chunk.inner[i] = inner;
			chunk.parent[i] = parent - 1;
			chunk.depth[i] = depth;
			time += duration;
			inner += chunk.below[i];
		}
	}
	if (chunk.arguments) {
		const decoder = new TextDecoder();
		for (let i = 0; i < count; i++) {
			const size = texts.next();
			chunk.arguments[i] = size ? decoder.decode(bytes.subarray(texts.at, texts.at + size)) : '';
			texts.at += size;
		}
	}
	return chunk;
}

class Trace {
	constructor(overview) {
		this.name = overview.name;
		this.command = overview.command;
		this.unit = overview.unit;
		this.count = overview.nodes;
		this.whole = overview.whole;
		this.chunkStarts = overview.chunks;
		this.chunks = new Array(overview.chunks.length);
		this.threads = overview.threads.map(([id, first, roots, count, time, start, end], number) => ({
			number, id, first, roots, count, time, start, end,
		}));
		this.labels = overview.labels.map((row, number) => ({
			number,
			text: row[0],
			counts: row.slice(1, 1 + KINDS.length),
			hits: row[KINDS.length + 1],
			total: row[KINDS.length + 2],
			self: row[KINDS.length + 3],
			longest: row[KINDS.length + 4],
			longestTime: row[KINDS.length + 5],
			nodes: row.slice(1, 1 + KINDS.length).reduce((sum, count) => sum + count),
		}));
		this.counts = KINDS.map((_, kind) => this.labels.reduce((sum, label) => sum + label.counts[kind], 0));
		this.hits = this.labels.reduce((sum, label) => sum + label.hits, 0);
	}

	// The number of the chunk that has the node.
	chunkOf(node) {
		let low = 0;
		for (let high = this.chunkStarts.length; high - low > 1; ) {
			const middle = (low + high) >> 1;
			if (this.chunkStarts[middle] <= node)
				low = middle;
			else
				high = middle;
		}
		return low;
	}

	async readChunk(number) {
		const text = document.getElementById(`chunk-${number}`).textContent;
		return readChunk(await unpack(text), this.chunkStarts[number]);
	}

	// Makes the node, and its siblings with it, ready for get().
	async load(node) {
		const number = this.chunkOf(node);
		this.chunks[number] ??= this.readChunk(number).then((chunk) => (this.chunks[number] = chunk));
		return this.chunks[number];
	}

	// The chunk of a loaded node.
	chunkWith(node) {
		return this.chunks[this.chunkOf(node)];
	}

	// A loaded node.
	get(node) {
		const chunk = this.chunkWith(node);
		const i = node - chunk.first;
		return {
			node,
			label: this.labels[chunk.label[i]],
			kind: chunk.kind[i],
			start: chunk.start[i],
			duration: chunk.duration[i],
			self: chunk.self[i],
			extent: chunk.extent[i],
			below: chunk.below[i],
			inner: chunk.inner[i],
			parent: chunk.parent[i],
			depth: chunk.depth[i],
			arguments: chunk.arguments ? chunk.arguments[i] : '',
		};
	}

	threadOf(node) {
		return this.threads.findLast((thread) => thread.first <= node && thread.count);
	}

	fraction(node) {
		return this.whole ? node.duration / this.whole : 0;
	}

	// The node's ancestors, the outermost first, all loaded.
	async ancestors(node) {
		const path = [];
		for (let at = node; ; ) {
			await this.load(at);
			at = this.get(at).parent;
			if (at < 0)
				return path.reverse();
			path.push(at);
		}
	}

	// All nodes whose label `wanted` has, or whose arguments contain `text` (unless that is empty). `progress` is told
	// the share done from time to time; null is returned as soon as it answers false.
	async search(wanted, text, progress) {
		const before = new Uint32Array(this.count + 1);
		const found = [];
		let paused = performance.now();
		for (let number = 0; number < this.chunkStarts.length; number++) {
			const chunk = (await this.chunks[number]) ?? (await this.readChunk(number));
			for (let i = 0; i < chunk.count; i++) {
				const node = chunk.first + i;
				before[node + 1] = before[node];
				if (wanted.has(chunk.label[i]) || (text && chunk.arguments?.[i].toLowerCase().includes(text))) {
					before[node + 1]++;
					found.push({ node, start: chunk.start[i], duration: chunk.duration[i], depth: chunk.depth[i] });
				}
			}
			if (performance.now() - paused > 50) {
				await new Promise((resume) => setTimeout(resume));
				if (!progress((number + 1) / this.chunkStarts.length))
					return null;
				paused = performance.now();
			}
		}
		return new Matches(this, before, found);
	}
}

// What a search found, in the order of time, thread by thread.
class Matches {
	constructor(trace, before, found) {
		const longest = found.reduce((best, each) => (best && best.duration >= each.duration ? best : each), null);
		this.before = before;
		this.nodes = trace.threads.flatMap((thread) =>
			found
				.slice(before[thread.first], before[thread.first + thread.count])
				.sort((a, b) => a.start - b.start || a.depth - b.depth || a.node - b.node)
				.map((each) => each.node),
		);
		this.longest = longest ? longest.node : -1;
	}

	has(node) {
		return this.before[node + 1] > this.before[node];
	}

	// Whether the loaded node, or one that lies in it, is among them.
	within(node) {
		return this.has(node.node) || this.before[node.inner + node.below] > this.before[node.inner];
	}
}

// Fractions as rustc's page of 2018 put them: the class, and the text.
const FRACTIONS = [
	[0.5, 'frac-50'], [0.4, 'frac-40'], [0.3, 'frac-30'], [0.2, 'frac-20'], [0.1, 'frac-10'],
	[0.05, 'frac-05'], [0.02, 'frac-02'], [0.01, 'frac-01'], [0.001, 'frac-001'],
];

function fractionClass(fraction) {
	return FRACTIONS.find(([above]) => fraction > above)?.[1] ?? 'frac-0';
}

function fractionText(fraction) {
	return fraction > 0.001 ? `${(fraction * 100).toFixed(1)} %` : '< 0.1 %';
}

function isImportant(extent, fraction) {
	return extent > 5 || fraction >= 0.01;
}

// What is called time is of another counter in some profiles, of instructions say: then this is its unit.
let otherUnit = '';

function timeText(time) {
	const units = otherUnit ? [['G', 1e9], ['M', 1e6], ['k', 1e3]] : [['s', 1e9], ['ms', 1e6], ['µs', 1e3]];
	for (const [unit, size] of units) {
		if (time >= size)
			return `${(time / size).toPrecision(Math.max(3, String(Math.floor(time / size)).length))} ${unit}`;
	}
	return otherUnit ? countText(time) : `${time} ns`;
}

// With every digit.
function exactTimeText(time) {
	if (otherUnit)
		return countText(time);
	for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
		if (time >= size)
			return `${Math.floor(time / size)}.${String(time % size).padStart(Math.log10(size), '0')} ${unit}`;
	}
	return `${time} ns`;
}

function countText(count) {
	return count.toLocaleString('en-US');
}
