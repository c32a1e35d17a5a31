// SPDX-License-Identifier: MIT OR Apache-2.0
// The page: what keys, buttons and the address do to the tree.
'use strict';
const $ = (id) => document.getElementById(id);
const trace = new Trace(JSON.parse($('overview').textContent));
const rows = new Rows(trace);
const view = new View(rows, $('tree'), (key) => run(async () => {
	select(key);
	await toggle(key);
}));
otherUnit = trace.unit;
const OFFERED = 100; // labels in the list below the search box
const PRINTED = 2000; // rows

// One thing at a time: each waits for the one before. What fails is said, not swallowed.
let running = Promise.resolve();
function run(action) {
	running = running.then(action).catch((error) => {
		status(`This did not work: ${error.message}`);
		reportError(error);
	});
	return running;
}

function status(text) {
	$('status').textContent = text;
}

// ---- Opening, closing, moving ----

function select(key, middle) {
	view.current = key;
	view.show(middle);
	showDetails();
}

async function toggle(key) {
	const row = rows.row(key);
	if (!row?.opens)
		return;
	if (row.isOpen)
		rows.closeRow(key);
	else
		await rows.openRow(key);
	view.take(key);
}

// Shows the node wherever it lies, and selects it.
async function go(node) {
	const thread = trace.threadOf(node);
	if (rows.thread && rows.thread !== thread)
		chooseThread(thread);
	if (rows.filter && !rows.filter.within((await trace.load(node), trace.get(node))))
		await setFilter(null);
	const key = await rows.reveal(node);
	view.take(null);
	select(key, true);
}

function chooseThread(thread) {
	rows.chooseThread(thread);
	$('thread').value = thread ? thread.number : '';
}

// Selects another row, counted from the current one.
function move(by) {
	const place = view.currentRow()?.number ?? -1;
	const target = rows.rows[Math.max(0, Math.min(rows.rows.length - 1, place + by))];
	if (target)
		select(target.key);
}

async function goIn() {
	const row = view.currentRow();
	if (row?.opens && !row.isOpen)
		await toggle(row.key);
	else if (row?.isOpen && row.last > row.number)
		move(1);
}

async function goOut() {
	const row = view.currentRow();
	if (row?.isOpen)
		await toggle(row.key);
	else if (row && row.up >= 0)
		select(rows.rows[row.up].key);
}

function rowsInSight() {
	return Math.max(1, Math.floor($('tree').clientHeight / (ROW_HEIGHT + BOX_GAP)) - 2);
}

const treeKeys = {
	ArrowDown: () => move(1),
	ArrowUp: () => move(-1),
	ArrowRight: goIn,
	ArrowLeft: goOut,
	Home: () => move(-Infinity),
	End: () => move(Infinity),
	PageDown: () => move(rowsInSight()),
	PageUp: () => move(-rowsInSight()),
	Enter: () => toggle(view.current),
	' ': () => toggle(view.current),
	n: () => step(1),
	p: () => step(-1),
	l: () => goLongest(),
};

$('tree').addEventListener('keydown', (event) => {
	const action = treeKeys[event.key];
	if (!action || event.ctrlKey || event.metaKey || event.altKey)
		return;
	event.preventDefault();
	run(action);
});

document.addEventListener('keydown', (event) => {
	if (event.key === '/' && !event.target.matches('input, select') && !event.ctrlKey && !event.metaKey) {
		event.preventDefault();
		$('search').focus();
		$('search').select();
	}
});

$('close-all').addEventListener('click', () => run(() => {
	rows.closeAll();
	view.take(null);
	select(rows.rows[0]?.key);
}));

$('open-important').addEventListener('click', () => run(async () => {
	await rows.openFrom(0.01);
	view.take(null);
	select(rows.rows[0]?.key, true);
}));

$('thread').addEventListener('change', () => run(async () => {
	chooseThread(trace.threads[$('thread').value] ?? null);
	await rows.refresh();
	view.taken(null);
	select(rows.rows[0]?.key);
}));

// ---- What the selected row is ----

function button(text, title, action) {
	const made = element('button', '', text, { type: 'button', title });
	made.addEventListener('click', () => run(action));
	return made;
}

function timeTitle() {
	return otherUnit ? otherUnit[0].toUpperCase() + otherUnit.slice(1) : 'Time';
}

function facts(pairs) {
	return element('dl', 'facts', pairs.filter((pair) => pair[1] !== '').flatMap(([name, value]) => [element('dt', '', name), element('dd', '', value)]));
}

function showDetails() {
	const row = view.currentRow();
	$('details').replaceChildren();
	$('crumbs').replaceChildren();
	if (!row)
		return;
	const about = describe(trace, row, view.matches);
	const kind = about.kind === 'thread' ? '' : KIND_NAMES[about.kind];
	$('details').append(element('h2', '', about.text), element('p', `kind ${about.kind}`, kind));
	if (about.more && row.type === 'node')
		$('details').append(element('p', 'arguments', about.more));
	if (row.type === 'node')
		showNode(trace.get(row.node));
	else if (row.type === 'run')
		$('details').append(facts([['How often', countText(row.count)], [timeTitle(), about.kind === 'hit' ? '' : timeText(about.time)], ['Depth', String(about.depth)]]));
	else
		$('details').append(facts([[timeTitle(), timeText(about.time)], ['Of the whole', fractionText(about.share)], ['Extent', countText(about.extent)], ['In it at any depth', countText(row.thread.count)]]));
	showCrumbs(row);
}

function showNode(node) {
	const { label } = node;
	const hit = node.kind === HIT;
	const parent = node.parent >= 0 ? trace.get(node.parent) : null;
	const runs = label.nodes - label.counts[HIT];
	$('details').append(
		facts([
			[timeTitle(), hit ? '' : exactTimeText(node.duration)],
			['Its own', hit || !node.extent ? '' : exactTimeText(Math.max(0, node.self))],
			['Of the whole', hit ? '' : fractionText(trace.fraction(node))],
			['Of the box around it', !hit && parent?.duration ? fractionText(node.duration / parent.duration) : ''],
			['Starts at', exactTimeText(node.start)],
			['Depth', countText(node.depth)],
			['Extent', countText(node.extent)],
			['In it at any depth', node.below > node.extent ? countText(node.below) : ''],
		]),
		element('h3', '', `All of ${label.text}`),
		facts([
			['How often', countText(runs)],
			['Hits', label.hits ? countText(label.hits) : ''],
			[timeTitle(), exactTimeText(label.total)],
			['Its own', exactTimeText(label.self)],
			['Longest', exactTimeText(label.longestTime)],
		]),
		element('p', 'group', [
			button('Longest', 'The longest of them (key l)', () => go(label.longest)),
			button('Search these', 'Steps through all of them', () => choose({ text: label.text, labels: [label] })),
		]),
	);
}

const CRUMBS_SHOWN = 6;

function showCrumbs(row) {
	const path = [];
	for (let up = row.up; up >= 0; up = rows.rows[up].up) {
		if (rows.rows[up].type !== 'run')
			path.unshift(rows.rows[up]);
	}
	const crumb = (ancestor) => {
		const made = button(describe(trace, ancestor, null).text, 'Select this box', () => {
			select(ancestor.key, true);
			$('tree').focus();
		});
		return element('li', '', made);
	};
	const list = element('ol', '');
	const fill = (shown) => {
		const cut = shown.length < path.length ? path.length - shown.length : 0;
		list.replaceChildren(...shown.map(crumb));
		if (cut) {
			const more = button(`… ${cut} more …`, 'Show all', () => fill(path));
			list.insertBefore(element('li', '', more), list.children[2]);
		}
		list.append(element('li', 'here', describe(trace, row, null).text, { 'aria-current': 'true' }));
	};
	fill(path.length > CRUMBS_SHOWN ? [...path.slice(0, 2), ...path.slice(2 - CRUMBS_SHOWN)] : path);
	$('crumbs').append(list);
}

// ---- Searching ----

let offered = []; // choices in the list below the search box
let chosen = null; // { text, labels }: what is searched
let active = -1; // place in `offered`

function offer() {
	const text = $('search').value.trim().toLowerCase();
	const found = trace.labels
		.filter((label) => label.nodes && label.text.toLowerCase().includes(text))
		.sort((a, b) => b.self - a.self || b.nodes - a.nodes);
	offered = found.slice(0, OFFERED).map((label) => ({ text: label.text, labels: [label] }));
	if (text && found.length !== 1)
		offered.unshift({ text: $('search').value.trim(), labels: found, all: true });
	active = text ? 0 : -1;
	$('found').replaceChildren(...offered.map(option));
	if (found.length > OFFERED)
		$('found').append(element('p', 'quiet', `and ${countText(found.length - OFFERED)} more: type on`));
	openFound(offered.length > 0);
	markActive();
}

function option(choice, place) {
	const [label] = choice.labels;
	const children = choice.all
		? [element('span', 'label', choice.labels.length ? `All ${countText(choice.labels.length)} with “${choice.text}”` : `“${choice.text}” in arguments`)]
		: [element('span', 'label', label.text), element('span', 'quiet', `${timeText(label.self)} own, ${countText(label.nodes)}×`)];
	const made = element('div', 'option', children, { role: 'option', id: `option-${place}` });
	made.addEventListener('click', () => run(() => choose(choice)));
	return made;
}

function openFound(open) {
	$('found').hidden = !open;
	$('search').setAttribute('aria-expanded', open);
	if (!open)
		$('search').removeAttribute('aria-activedescendant');
}

function markActive() {
	for (const [place, made] of [...$('found').querySelectorAll('.option')].entries())
		made.setAttribute('aria-selected', place === active);
	if (active < 0)
		return;
	$('search').setAttribute('aria-activedescendant', `option-${active}`);
	$(`option-${active}`).scrollIntoView({ block: 'nearest' });
}

const searchKeys = {
	ArrowDown: () => markActive((active = Math.min(offered.length - 1, active + 1))),
	ArrowUp: () => markActive((active = Math.max(0, active - 1))),
	Enter: () => offered[active] && run(() => choose(offered[active])),
	Escape: () => {
		openFound(false);
		if (!$('search').value)
			run(() => choose(null));
		$('tree').focus();
	},
};

$('search').addEventListener('input', () => ($('search').value ? offer() : run(() => choose(null)).then(offer)));
$('search').addEventListener('focus', offer);
$('search').addEventListener('blur', () => openFound(false));
$('found').addEventListener('mousedown', (event) => event.preventDefault());
$('search').addEventListener('keydown', (event) => {
	if (!searchKeys[event.key])
		return;
	event.preventDefault();
	searchKeys[event.key]();
});

// Searches for a choice of the list, and goes to the longest of what is found; null ends the search.
async function choose(choice) {
	chosen = choice;
	view.matches = null;
	openFound(false);
	$('stepping').hidden = !choice;
	if (choice) {
		$('search').value = choice.text;
		$('tree').focus();
		const wanted = new Set(choice.labels.map((label) => label.number));
		const text = choice.all ? choice.text.toLowerCase() : '';
		const longest = choice.labels.reduce((best, label) => (best && best.longestTime >= label.longestTime ? best : label), null);
		if (longest)
			await go(longest.longest);
		find(choice, wanted, text);
	} else {
		await takeMatches(null);
	}
}

// Looks through all nodes while the page goes on; ends when something else is chosen.
async function find(choice, wanted, text) {
	status('searching');
	const matches = await trace.search(wanted, text, (share) => {
		if (chosen === choice)
			status(`searching: ${Math.round(share * 100)} %`);
		return chosen === choice;
	});
	if (chosen === choice)
		run(() => takeMatches(matches));
}

async function takeMatches(matches) {
	view.matches = matches;
	if (matches?.nodes.length && !chosen.labels.length)
		await go(matches.longest);
	await setFilter($('only').checked ? matches : null);
	showPlace();
}

async function setFilter(filter) {
	if (rows.filter === filter) {
		view.draw(true);
		return;
	}
	rows.setFilter(filter);
	$('only').checked = Boolean(filter);
	await rows.refresh();
	view.taken(null);
	if (!view.currentRow())
		view.current = rows.rows[0]?.key ?? null;
	view.show(true);
	showDetails();
}

// The selected node's place among the matches, or -1.
function placeOfCurrent() {
	const row = view.currentRow();
	return row?.type === 'node' ? view.matches.nodes.indexOf(row.node) : -1;
}

function showPlace() {
	if (!view.matches)
		return status('');
	const place = placeOfCurrent();
	const count = view.matches.nodes.length;
	status(count ? `${place < 0 ? '' : `${countText(place + 1)} of `}${countText(count)} found` : 'nothing found');
}

async function step(by) {
	const nodes = view.matches?.nodes;
	if (!nodes?.length)
		return;
	await go(nodes[(Math.max(placeOfCurrent(), by < 0 ? 0 : -1) + by + nodes.length) % nodes.length]);
	showPlace();
}

async function goLongest() {
	const row = view.currentRow();
	if (view.matches?.nodes.length)
		await go(view.matches.longest);
	else if (row && row.type !== 'thread')
		await go(trace.get(row.node).label.longest);
	showPlace();
}

$('previous').addEventListener('click', () => run(() => step(-1)));
$('next').addEventListener('click', () => run(() => step(1)));
$('longest').addEventListener('click', () => run(goLongest));
$('only').addEventListener('change', () => run(() => setFilter($('only').checked ? view.matches : null)));

// ---- Paper ----

// The open boxes as they are, one below the other, without the tree that scrolls.
function print() {
	const shown = rows.rows.slice(0, PRINTED);
	const places = [$('print')];
	const left = rows.rows.length - shown.length;
	$('print').replaceChildren(document.querySelector('.columns').cloneNode(true));
	$('legend').open = true;
	for (const row of shown) {
		const about = describe(trace, row, view.matches);
		const name = [element('span', 'label', about.text)];
		if (about.kind === 'hit')
			name.unshift(element('i', 'dots'));
		if (about.count)
			name.push(element('span', 'times', `× ${countText(about.count)}`));
		if (about.more)
			name.push(element('span', 'more', about.more));
		const box = element('div', `printed ${about.classes}`, element('div', 'line', [element('span', 'name', name), figures(about)]));
		places[row.level].append(box);
		places[row.level + 1] = box;
	}
	if (left)
		$('print').append(element('p', '', `${countText(left)} more open rows are not printed.`));
}

addEventListener('beforeprint', print);
addEventListener('afterprint', () => {
	$('print').replaceChildren();
	openLegend();
});

// ---- The start ----

function showHeading() {
	const kinds = KINDS.map((kind, i) => [trace.counts[i], kind]).filter(([count]) => count);
	const names = { miss: 'misses', pass: 'timed passes', hit: 'hits', load: 'loads', hashing: 'hashings', blocked: 'waits', other: 'others' };
	const hits = trace.hits > trace.counts[HIT] ? [`${countText(trace.hits)} hits counted${trace.counts[HIT] ? '' : ', not placed'}`] : [];
	const threads = trace.threads.length === 1 ? '1 thread' : `${countText(trace.threads.length)} threads`;
	$('time-title').textContent = timeTitle();
	$('figures').textContent = [
		`${timeText(trace.whole)} ${otherUnit ? `${otherUnit} ` : ''}in ${threads}`, ...kinds.map(([count, kind]) => `${countText(count)} ${names[kind]}`), ...hits,
	].join(' · ');
	$('command').textContent = $('command').title = trace.command;
	for (const item of document.querySelectorAll('[data-kind]'))
		item.hidden = !trace.counts[KINDS.indexOf(item.dataset.kind)] && !['miss', 'hit', 'pass'].includes(item.dataset.kind);
	if (!trace.counts[HIT])
		$('about-hits').textContent = trace.hits ? 'This profile counts hits but does not say when they were, so they have no dots.' : 'This profile has none.';
	openLegend();
}

// The legend is open where there is room for it.
function openLegend() {
	$('legend').open = matchMedia('(min-width: 900px)').matches;
}

function offerThreads() {
	const threads = trace.threads.filter((thread) => thread.roots);
	$('thread-choice').hidden = threads.length < 2;
	$('thread').append(
		element('option', '', 'all', { value: '' }),
		...threads.map((thread) => element('option', '', `${thread.id}: ${timeText(thread.time)}`, { value: thread.number })),
	);
}

// The thread with the most nodes is opened; the address may name a query whose longest is then shown: #query=typeck.
async function start() {
	const threads = trace.threads.filter((thread) => thread.roots);
	const query = decodeURIComponent(location.hash.match(/^#query=(.*)/)?.[1] ?? '');
	const asked = trace.labels.find((label) => label.text === query && label.nodes);
	showHeading();
	offerThreads();
	if (threads.length) {
		const largest = threads.reduce((best, thread) => (thread.count > best.count ? thread : best));
		await rows.openRow(`t${largest.number}`);
	}
	view.take(null);
	select(rows.rows[0]?.key);
	if (asked)
		await choose({ text: asked.text, labels: [asked] });
	document.documentElement.dataset.ready = 'true';
}

if (typeof DecompressionStream === 'undefined')
	status('This browser is too old to unpack the trace.');
else
	run(start);
