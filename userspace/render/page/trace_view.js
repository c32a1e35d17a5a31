// SPDX-License-Identifier: MIT OR Apache-2.0
// The tree on the screen: of all rows only those in sight have elements, and the open boxes around them.
'use strict';
const TALLEST = 8e6; // Browsers draw nothing beyond some 16 million pixels: taller trees scroll in larger steps.
const MARGIN = 240;
const BOXES_AROUND = 300; // how many of the boxes around the first row in sight are drawn
const TIGHT = 7; // pixels of indentation below which lines at the right would run into one another
const KIND_NAMES = {
	miss: 'miss', hit: 'hit', pass: 'timed pass', load: 'load', hashing: 'hashing', blocked: 'blocked', other: 'other',
};

// An element with a class, children (elements or text), and attributes. Text never becomes markup.
function element(name, className, children = [], attributes = {}) {
	const made = document.createElement(name);
	if (className)
		made.className = className;
	made.append(...[children].flat());
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	return made;
}

const summaries = new Map();

// What a run is made of: the query, or the most frequent of those that were hit, and the time of all.
function summarizeRun(trace, row) {
	const key = `${row.node} ${row.count}`;
	if (summaries.has(key))
		return summaries.get(key);
	const counts = new Map();
	let time = 0;
	for (let i = row.node; i < row.node + row.count; i++) {
		const node = trace.get(i);
		counts.set(node.label.text, (counts.get(node.label.text) ?? 0) + 1);
		time += node.duration;
	}
	const sorted = [...counts].sort((a, b) => b[1] - a[1]);
	const shown = sorted.slice(0, 4).map(([text, count]) => (count > 1 && sorted.length > 1 ? `${text} ×${count}` : text));
	const mixed = `${countText(row.count)} hits: ${shown.join(', ')}${sorted.length > 4 ? ` and ${sorted.length - 4} more` : ''}`;
	const text = sorted.length > 1 ? mixed : sorted[0][0];
	summaries.set(key, { text, time, mixed: sorted.length > 1 });
	return summaries.get(key);
}

// All that is to be said of a row: its texts, its classes, its figures.
function describe(trace, row, matches) {
	if (row.type === 'thread') {
		const { thread } = row;
		const share = trace.whole ? thread.time / trace.whole : 0;
		return {
			text: `Thread ${thread.id}`, more: `${countText(thread.count)} ${thread.count === 1 ? 'event' : 'events'}`, kind: 'thread', classes: 'thread important',
			time: thread.time, share, depth: '', extent: thread.roots, match: false,
		};
	}
	const node = trace.get(row.node);
	const kind = KINDS[node.kind];
	if (row.type === 'run') {
		const { text, time, mixed } = summarizeRun(trace, row);
		let match = false;
		for (let i = row.node; matches && !match && i < row.node + row.count; i++)
			match = matches.has(i);
		return {
			text, more: '', count: mixed ? 0 : row.count, kind, classes: `run ${kind} frac-0`, match,
			time, share: trace.whole ? time / trace.whole : 0, depth: node.depth, extent: '',
		};
	}
	const share = trace.fraction(node);
	const important = isImportant(node.extent, share) ? ' important' : '';
	return {
		text: node.label.text, more: node.arguments, kind, match: Boolean(matches?.has(row.node)),
		classes: `depth-${node.depth} extent-${node.extent}${important} ${kind} ${fractionClass(share)}`,
		time: node.duration, share, depth: node.depth, extent: node.extent,
	};
}

function spoken(row, about) {
	const parts = [about.count ? `${about.count} times ${about.text}` : about.text];
	if (about.more)
		parts.push(about.more);
	if (row.type !== 'thread')
		parts.push(KIND_NAMES[about.kind]);
	if (about.kind !== 'hit')
		parts.push(timeText(about.time), `${fractionText(about.share)} of the whole`);
	if (about.depth !== '')
		parts.push(`depth ${about.depth}`);
	if (about.extent !== '')
		parts.push(`extent ${about.extent}`);
	return parts.join(', ');
}

// The four columns at the right.
function figures(about) {
	const hit = about.kind === 'hit';
	const bar = element('i', 'bar');
	bar.style.width = `${Math.min(100, about.share * 100)}%`;
	return element('span', 'figures', [
		element('span', 'time', hit ? '' : timeText(about.time)),
		element('span', 'share', hit ? [] : [bar, element('span', '', fractionText(about.share))]),
		element('span', 'depth', String(about.depth)),
		element('span', 'extent', about.extent === '' ? '' : countText(about.extent)),
	]);
}

class View {
	constructor(rows, tree, onToggle) {
		this.rows = rows;
		this.tree = tree;
		this.space = tree.querySelector('#space');
		this.view = tree.querySelector('#view');
		this.current = null;
		this.matches = null;
		this.drawn = null;
		tree.addEventListener('scroll', () => this.draw(false));
		new ResizeObserver(() => this.draw(true)).observe(tree);
		this.view.addEventListener('click', (event) => {
			const row = event.target.closest('.row');
			if (row)
				onToggle(row.dataset.key);
		});
	}

	// How far rows have to be moved from where they would be if the tree were as tall as it is.
	offset() {
		const height = this.tree.clientHeight;
		const tall = this.rows.height - height;
		const room = this.space.offsetHeight - height;
		return tall > room && room > 0 ? this.tree.scrollTop * (1 - tall / room) : 0;
	}

	scrollTo(top) {
		const height = this.tree.clientHeight;
		const tall = this.rows.height - height;
		const room = this.space.offsetHeight - height;
		this.tree.scrollTop = tall > room && room > 0 ? (top * room) / tall : top;
	}

	// Brings the current row into sight: just so, or to the middle if it is far away or `middle` says so.
	show(middle) {
		const row = this.currentRow();
		const height = this.tree.clientHeight;
		const top = this.tree.scrollTop - this.offset();
		if (!row)
			return;
		if (middle ? row.top < top + 40 || row.top + row.height > top + height - 40 : false)
			this.scrollTo(row.top - height / 3);
		else if (row.top < top)
			this.scrollTo(row.top - BOX_GAP);
		else if (row.top + row.height > top + height)
			this.scrollTo(row.top + row.height + BOX_GAP - height);
		this.draw(true);
	}

	currentRow() {
		return this.rows.row(this.current);
	}

	// Takes a new list of rows. `hold` is a key whose row stays where it is on the screen.
	take(hold) {
		const before = this.rows.row(hold)?.top;
		this.rows.lay();
		this.taken(hold, before);
	}

	taken(hold, before) {
		const after = this.rows.row(hold)?.top;
		const top = this.tree.scrollTop - this.offset();
		this.space.style.height = `${Math.min(this.rows.height, TALLEST)}px`;
		if (before !== undefined && after !== undefined && before !== after)
			this.scrollTo(top + after - before);
		this.draw(true);
	}

	draw(always) {
		const offset = this.offset();
		const top = this.tree.scrollTop - offset;
		const bottom = top + this.tree.clientHeight;
		if (!always && !offset && this.drawn && top >= this.drawn.top && bottom <= this.drawn.bottom)
			return;
		const { rows } = this.rows;
		const indent = this.indent();
		const elements = [];
		this.drawn = { top: Math.max(0, top - MARGIN), bottom: bottom + MARGIN };
		if (rows.length) {
			const first = this.rows.at(this.drawn.top);
			for (let up = rows[first].up; up >= 0 && elements.length < BOXES_AROUND; up = rows[up].up)
				elements.unshift(this.box(rows[up], offset, indent));
			for (let i = first; i < rows.length && rows[i].top < this.drawn.bottom; i++)
				elements.push(this.box(rows[i], offset, indent), this.row(rows[i], offset, indent));
		} else {
			elements.push(element('p', 'nothing', this.rows.trace.count ? 'Nothing here matches.' : 'This profile has no events with a place in time.'));
		}
		this.view.classList.toggle('tight', indent < TIGHT);
		this.view.classList.toggle('tighter', indent < TIGHT / 3);
		this.view.style.setProperty('--indent', `${indent}px`);
		this.view.replaceChildren(...elements);
		if (this.currentRow())
			this.tree.setAttribute('aria-activedescendant', `row-${this.current}`);
		else
			this.tree.removeAttribute('aria-activedescendant');
	}

	// Pixels that a level goes in at the left, less at the right: fewer where they would not leave room for names.
	indent() {
		return Math.min(14, (this.tree.clientWidth * 0.22) / (this.rows.deepest + 1));
	}

	box(row, offset, indent) {
		const about = (row.about ??= describe(this.rows.trace, row, null));
		const box = element('div', `box ${about.classes}${row.isOpen ? ' open' : ''}${row.opens ? '' : ' leaf'}`, [], { 'aria-hidden': true });
		const top = Math.max(row.top, this.drawn.top - 40);
		const bottom = Math.min(row.bottom, this.drawn.bottom + 40);
		box.style.top = `${top + offset}px`;
		box.style.height = `${bottom - top}px`;
		box.style.left = `${row.level * indent}px`;
		box.style.right = `calc(var(--figures) + ${(row.level * indent * 2) / 7}px)`;
		return box;
	}

	row(row, offset, indent) {
		const about = describe(this.rows.trace, row, this.matches);
		const hits = about.kind === 'hit';
		const name = [element('span', 'sign', row.opens ? (row.isOpen ? '▾' : '▸') : '')];
		if (hits) {
			const dots = element('i', 'dots');
			dots.style.width = `${Math.min(row.count, 16) * 9}px`;
			name.push(dots);
		}
		name.push(element('span', about.match ? 'label match' : 'label', about.text));
		if (about.count)
			name.push(element('span', 'times', `× ${countText(about.count)}`));
		if (about.more)
			name.push(element('span', 'more', about.more));
		const made = element(
			'div',
			`row trace ${about.classes}${row.key === this.current ? ' current' : ''}`,
			[element('span', 'name', name), figures(about)],
			{
				id: `row-${row.key}`, role: 'treeitem', 'aria-level': row.level + 1, 'aria-posinset': row.place + 1,
				'aria-setsize': row.siblings, 'aria-label': spoken(row, about), 'aria-selected': row.key === this.current,
				'data-key': row.key, title: about.more ? `${about.text} ${about.more}` : about.text,
			},
		);
		if (row.opens)
			made.setAttribute('aria-expanded', row.isOpen);
		made.style.top = `${row.top + offset}px`;
		made.style.height = `${row.height}px`;
		made.style.left = `${row.level * indent}px`;
		made.firstChild.style.paddingRight = `${(row.level * indent * 2) / 7 + 8}px`;
		return made;
	}
}
