// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';
(() => {
	const { element, number, milliseconds, time, plural } = figures;
	const data = figures.data('data');
	const at = (id) => document.getElementById(id);
	const lane_height = 28;
	const processes = data.processes.map((process, index) => ({ ...process, index, length: process.end_ns - process.start_ns }));
	const by_start = [...processes].sort((a, b) => a.start_ns - b.start_ns || a.index - b.index);

	// Cargo compiles each package's build script under the same name; the folder it is put into tells whose it is.
	function given_name(process) {
		const folder = process.crate.startsWith('build_script_') && / --out-dir (\S+)/.exec(process.command)?.[1];
		const owner = folder && /\/build\/([^/]+)-[0-9a-f]{8,}$/.exec(folder)?.[1];
		return owner ? `build script of ${owner}` : process.crate;
	}

	const of_name = new Map();
	for (const process of processes) {
		process.name = given_name(process);
		of_name.set(process.name, (of_name.get(process.name) ?? 0) + 1);
	}

	// Where several have a name, the process tells them apart.
	const name_of = (process) =>
		of_name.get(process.name) > 1 ? `${process.name} (${process.process_id})` : process.name;
	const seconds = (ns) => number(ns / 1e9, 3);
	const percent = (part, whole, decimals = 1) => `${number(whole ? (part / whole) * 100 : 0, decimals)} %`;
	const tree = data.all && figures.processes(data, processes, name_of);
	// What the timeline shows: all processes where they are known, else the compilers.
	const rows = tree ? tree.rows : by_start;
	const lanes = tree ? tree.lanes : data.lanes;
	const row_of = (process) => (tree ? tree.row_of(process) : process);
	const label_of = (row) => (tree ? row.label : name_of(row));
	const beside = (one) =>
		by_start.filter((other) => other !== one && other.start_ns < one.end_ns && one.start_ns < other.end_ns);

	const view = { process: undefined, zoom: 1, flame: undefined, bars: new Map(), focus: rows[0], tables: [] };

	function draw_header() {
		at('folder').textContent = data.folder;
		at('theme').append(figures.theme());
		document.title = `Build report: ${data.folder}`;
		let count = 0;
		for (const process of processes) count += process.count;
		at('cards').append(
			figures.cards([
				['From first to last', time(data.wall_ns), new Date(Number(BigInt(data.start_ns) / 1000000n)).toLocaleString('en-GB')],
				['Compilers', number(processes.length), `at most ${number(data.lanes)} at once`],
				['Compile time, summed', time(data.busy_ns), `${number(data.wall_ns ? data.busy_ns / data.wall_ns : 0, 2)} at once on average`],
				['Longest chain', time(data.chain_ns), `${plural(data.chain.length, 'compiler')}, ${percent(data.chain_ns, data.wall_ns, 0)} of the time`],
				['Queries and activities', number(count), plural(data.totals.length, 'label')],
			]),
		);
	}

	// A round step for about so many ticks.
	function tick_step(length, ticks) {
		const rough = length / ticks;
		const power = 10 ** Math.floor(Math.log10(rough));
		return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
	}

	function draw_axis(axis, width) {
		const step = tick_step(data.wall_ns, Math.max(2, width / 120));
		const [unit, size] = [['s', 1e9], ['ms', 1e6], ['µs', 1e3]].find((one) => data.wall_ns >= one[1]) ?? ['ns', 1];
		const ticks = [];
		for (let now = 0; now <= data.wall_ns; now += step) {
			const tick = element('div', { class: 'tick' }, `${Number((now / size).toPrecision(6))} ${unit}`);
			tick.style.left = `${(now / data.wall_ns) * 100}%`;
			tick.style.height = `${28 + lanes * lane_height}px`;
			// No room for its text.
			if ((now / data.wall_ns) * width < width - 50) ticks.push(tick);
		}
		axis.replaceChildren(...ticks);
	}

	function svg(name, attributes) {
		const made = document.createElementNS('http://www.w3.org/2000/svg', name);
		for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
		return made;
	}

	// How many compilers run over time, as an area; the coordinates are shares of the whole.
	function running_chart() {
		const most = Math.max(1, ...data.running.map(([, count]) => count));
		let path = 'M0 100';
		let level = 100;
		for (const [now, count] of data.running) {
			const x = ((now / data.wall_ns) * 1000).toFixed(2);
			path += `L${x} ${level}`;
			level = 100 - (count / most) * 96;
			path += `L${x} ${level.toFixed(2)}`;
		}
		const chart = svg('svg', { class: 'running', viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img' });
		chart.setAttribute('aria-label', `Compilers running over time, at most ${most}`);
		chart.append(svg('path', { d: `${path}L1000 100Z` }));
		return [element('p', { class: 'running-title' }, `Compilers running (at most ${number(most)})`), chart];
	}

	const hint_of = (row) =>
		`${label_of(row)}: ${time(row.length)}, from ${seconds(row.start_ns)} s to ${seconds(row.end_ns)} s` +
		(row.in_chain ? ', in the longest chain' : '') + (tree && row.account ? `; ${tree.account(row)}` : '');

	function make_bar(row) {
		const kind = row.in_chain ? ' chain' : tree && !row.process ? ` ${row.kind.replace(' ', '-')}` : '';
		const bar = element(
			'button',
			{
				type: 'button', class: `bar${kind}`, title: hint_of(row),
				'aria-label': hint_of(row), tabindex: row === view.focus ? 0 : -1, click: () => select_row(row, true),
			},
			row.name,
		);
		bar.style.top = `${row.lane * lane_height + 2}px`;
		view.bars.set(row, bar);
		return bar;
	}

	function move_focus(row) {
		if (!row) return;
		view.bars.get(view.focus).tabIndex = -1;
		view.focus = row;
		view.bars.get(row).tabIndex = 0;
		view.bars.get(row).focus();
	}

	// The row of the nearest lane in a direction that ran beside this one, or else nearest to it in time.
	function in_lane(lane) {
		const middle = (row) => (row.start_ns + row.end_ns) / 2;
		return rows
			.filter((row) => row.lane === lane)
			.sort((a, b) => Math.abs(middle(a) - middle(view.focus)) - Math.abs(middle(b) - middle(view.focus)))[0];
	}

	function draw_timeline() {
		const axis = element('div', { class: 'axis' });
		const field = element('div', { class: 'lanes', role: 'group', 'aria-label': tree ? 'Processes by time' : 'Compilers by time' }, ...rows.map(make_bar));
		const canvas = element('div', { class: 'canvas' }, axis, field, ...running_chart());
		const frame = element('div', { class: 'timeline' }, canvas);
		const order = new Map(rows.map((row, index) => [row, index]));
		field.style.height = `${lanes * lane_height}px`;

		function lay_out() {
			const style = getComputedStyle(frame);
			const room = frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
			const width = Math.max(200, room) * view.zoom;
			canvas.style.width = `${view.zoom * 100}%`;
			draw_axis(axis, width);
			for (const [row, bar] of view.bars) {
				const length = (row.length / data.wall_ns) * width;
				// Shares of the whole, so that they hold on paper, too; a bar is 3 pixels wide at least.
				bar.style.left = `min(${(row.start_ns / data.wall_ns) * 100}%, 100% - 3px)`;
				bar.style.width = `calc(${(row.length / data.wall_ns) * 100}% - 1px)`;
				bar.classList.toggle('narrow', length < 20);
				bar.textContent = length < 20 ? '' : tree ? row.name : name_of(row);
			}
		}

		// Zooms about the middle of what is on show.
		function zoom(factor) {
			const middle = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
			view.zoom = factor === 0 ? 1 : Math.min(64, Math.max(1, view.zoom * factor));
			lay_out();
			frame.scrollLeft = middle * frame.scrollWidth - frame.clientWidth / 2;
		}

		field.addEventListener('keydown', (event) => {
			const now = order.get(view.focus);
			const next = {
				ArrowLeft: rows[now - 1],
				ArrowRight: rows[now + 1],
				ArrowUp: in_lane(view.focus.lane - 1),
				ArrowDown: in_lane(view.focus.lane + 1),
				Home: rows[0],
				End: rows[rows.length - 1],
			}[event.key];
			if (!next) return;
			event.preventDefault();
			move_focus(next);
		});
		at('timeline').append(
			element(
				'div',
				{ class: 'bar-of-tools' },
				element('button', { type: 'button', 'aria-label': 'Zoom in', click: () => zoom(2) }, 'Zoom in'),
				element('button', { type: 'button', 'aria-label': 'Zoom out', click: () => zoom(0.5) }, 'Zoom out'),
				element('button', { type: 'button', click: () => zoom(0) }, 'Whole build'),
			),
			frame,
			element(
				'p',
				{ class: 'legend' },
				element('span', { class: 'chain' }, 'in the longest chain'),
				element('span', {}, 'other compilers'),
				...(tree ? tree.legend() : []),
			),
		);
		at('timeline-note').textContent = tree
			? 'Each bar is a process, from its start to its end, below the one that started it and in the lowest lanes that were free. A lane is no core of the machine.'
			: 'Each bar is a compiler, from its start to its last event, in the lowest lane that was free. ' +
			'A lane is no core of the machine.';
		new ResizeObserver(lay_out).observe(frame);
		addEventListener('beforeprint', () => zoom(0));
	}

	const crate_column = { title: 'Crate', get: name_of };
	const time_columns = [
		{ title: 'Start, s', hint: 'Since the first compiler started', number: true, get: (row) => row.start_ns, cell: (row) => seconds(row.start_ns) },
		{ title: 'Took, ms', hint: 'From its start to its last event', number: true, descending: true, get: (row) => row.length, cell: (row) => milliseconds(row.length) },
	];

	const top_of = (process) =>
		process.top
			.slice(0, 3)
			.map(([label, self]) => `${label} ${percent(self, process.self_ns, 0)}`)
			.join(', ');

	function filtered(place, list, text_of, field, table, before = []) {
		const shown = element('span', { class: 'shown quiet', role: 'status' });
		const show = (text) => {
			const kept = list.filter((row) => text_of(row).toLowerCase().includes(text));
			table.show(kept);
			shown.textContent = `${number(kept.length)} of ${number(list.length)}`;
		};
		place.append(element('div', { class: 'bar-of-tools' }, figures.filter_field(field, show), ...before, shown), table.node);
		show('');
	}

	function draw_crates() {
		const table = figures.table({
			name: 'Compilers',
			columns: [
				crate_column,
				...time_columns,
				{ title: 'Of the time', hint: 'Share of the time from first to last', number: true, descending: true, get: (row) => row.length, cell: (row) => percent(row.length, data.wall_ns) },
				{ title: 'Self time, ms', hint: 'The sum over its labels and threads', number: true, descending: true, get: (row) => row.self_ns, cell: (row) => milliseconds(row.self_ns) },
				{ title: 'Count', hint: 'How many queries and activities ran', number: true, descending: true, get: (row) => row.count, cell: (row) => number(row.count) },
				{ title: 'Chain', hint: 'Whether it is in the longest chain', descending: true, get: (row) => Number(row.in_chain), cell: (row) => (row.in_chain ? 'yes' : '') },
				{ title: 'Top queries, by self time', prose: true, get: top_of },
			],
			sort: 2,
			tall: true,
			select: (row) => select(row, true),
			is_current: (row) => row === view.process,
		});
		view.tables.push(table);
		filtered(at('crates'), processes, (row) => `${name_of(row)} ${top_of(row)}`, 'Filter by crate or query', table);
	}

	function draw_chain() {
		let end = 0;
		const rows = data.chain.map((index, place) => {
			const process = processes[index];
			const row = { process, place: place + 1, gap: process.start_ns - end };
			end = process.end_ns;
			return row;
		});
		const table = figures.table({
			name: 'Longest chain',
			columns: [
				{ title: 'Crate', get: (row) => row.place, cell: (row) => name_of(row.process) },
				{ title: 'Start, s', number: true, get: (row) => row.process.start_ns, cell: (row) => seconds(row.process.start_ns) },
				{ title: 'Took, ms', number: true, descending: true, get: (row) => row.process.length, cell: (row) => milliseconds(row.process.length) },
				{ title: 'Of the time', number: true, descending: true, get: (row) => row.process.length, cell: (row) => percent(row.process.length, data.wall_ns) },
				{ title: 'Gap before, ms', hint: 'Since the one before it ended', number: true, descending: true, get: (row) => row.gap, cell: (row) => milliseconds(row.gap) },
			],
			sort: 1,
			tall: true,
			select: (row) => select(row.process, true),
			is_current: (row) => row.process === view.process,
		});
		view.tables.push(table);
		at('chain-note').textContent =
			'Those compilers, each starting when the one before it had ended or later, that cover the most time. ' +
			'The profiles do not say who waited for whom: two that follow each other may have nothing to do with one another, ' +
			'and cargo starts a crate before those it needs have ended, as soon as their metadata is there.';
		at('chain').append(table.node);
		table.show(rows);
	}

	function label_columns(of_ms, whole, share_hint) {
		return [
			{ title: 'Label', mono: true, get: (row) => row[0] },
			{ title: 'Self time, ms', number: true, descending: true, get: (row) => row[1], cell: (row) => of_ms(row[1]) },
			{ title: 'Share', hint: share_hint, number: true, descending: true, get: (row) => row[1], cell: (row) => percent(row[1], whole, 2) },
			{ title: 'Time, ms', hint: 'With what ran inside of it', number: true, descending: true, get: (row) => row[2], cell: (row) => of_ms(row[2]) },
			{ title: 'Count', number: true, descending: true, get: (row) => row[3], cell: (row) => number(row[3]) },
		];
	}

	const ms_for = (largest) => (ns) => milliseconds(ns, figures.decimals_for(largest));

	function draw_totals() {
		const ms = ms_for(data.busy_ns);
		const columns = label_columns(ms, data.cpu_ns, 'Of all compilers’ time');
		if (data.totals.some((row) => row[4] > 0))
			columns.push({ title: 'Cache hits', number: true, descending: true, get: (row) => row[4], cell: (row) => number(row[4]) });
		columns.push({ title: 'In compilers', hint: 'In how many of them it occurs', number: true, descending: true, get: (row) => row[5], cell: (row) => number(row[5]) });
		const table = figures.table({ name: 'Totals by label', columns, sort: 1, tall: true });
		filtered(at('totals'), data.totals, (row) => row[0], 'Filter labels', table);
	}

	function draw_notes() {
		const notes = [
			tree
				? 'The timeline’s times are those of the processes; in the tables, a compiler is there from its profile’s start to its last event.'
				: 'Times are those of the profiles: a compiler is there from its profile’s start to its last event. What cargo, the linker or a build script did beside it is not on this page.',
			...(tree ? tree.notes() : []),
			'Self time is what a query or activity took itself, without those that ran inside of it, summed over a compiler’s threads.',
			`A compiler’s trace is its stacks merged: what has the same label in the same place is one box. Boxes below ${number(data.pruned_below * 100, 2)} % of the crate’s time are left out.`,
		];
		at('notes').append(element('ul', {}, ...notes.map((note) => element('li', {}, note))));
	}

	function close() {
		view.flame?.close();
		view.flame = undefined;
		at('crate').replaceChildren();
		at('crate').hidden = true;
		view.bars.get(view.row)?.removeAttribute('aria-current');
		view.process = undefined;
		view.row = undefined;
	}

	function title_line(text) {
		const leave = () => {
			const last = view.row;
			close();
			refresh();
			history.replaceState(null, '', '#');
			move_focus(last);
		};
		return element(
			'div',
			{ class: 'crate-head' },
			element('h2', { id: 'crate-title', tabindex: -1 }, text),
			element('button', { type: 'button', class: 'screen', click: leave }, 'Close'),
		);
	}

	const command_line = (command) =>
		element('details', {}, element('summary', {}, 'Command line'), element('p', { class: 'path' }, command));

	function crate_head(process) {
		const others = beside(process).map(name_of);
		const some = others.slice(0, 12).join(', ') + (others.length > 12 ? ` and ${number(others.length - 12)} more` : '');
		return [
			title_line(name_of(process)),
			element(
				'p',
				{ class: 'quiet' },
				`Process ${process.process_id}, ${time(process.length)}, from ${seconds(process.start_ns)} s to ${seconds(process.end_ns)} s. `,
				others.length ? `Beside it ran ${some}.` : 'Nothing ran beside it.',
			),
			...(tree ? tree.details(row_of(process), select_row) : []),
			command_line(process.command),
		];
	}

	function crate_top(process) {
		const table = figures.table({
			name: `Top queries of ${name_of(process)}`,
			columns: label_columns(ms_for(process.self_ns), process.self_ns, 'Of the crate’s self time'),
			sort: 1,
			tall: true,
		});
		table.show(process.top);
		return [
			element('h3', {}, process.top.length < process.labels ? `Top ${process.top.length} of ${number(process.labels)} labels` : 'Labels'),
			table.node,
		];
	}

	function crate_trace(process) {
		const stacks = figures.data(`trace-${process.index}`);
		const flame = figures.flame(stacks, name_of(process));
		view.flame = flame;
		return [
			element('h3', {}, 'Trace: stacks merged'),
			element(
				'p',
				{ class: 'quiet' },
				'Choose a box to zoom into it, one above to zoom out. With the keyboard: arrows, Enter, Escape. ' +
					(stacks.pruned
						? `${plural(stacks.pruned, 'box', 'boxes')} below ${number(data.pruned_below * 100, 2)} % of the crate’s time ${stacks.pruned === 1 ? 'is' : 'are'} left out.`
						: ''),
			),
			element(
				'div',
				{ class: 'bar-of-tools' },
				figures.filter_field('Mark labels', (text) => flame.find(text)),
				element('button', { type: 'button', click: () => flame.zoom_out() }, 'Whole crate'),
			),
			flame.node,
		];
	}

	function refresh() {
		for (const table of view.tables) table.show(table.rows());
	}

	function process_head(row) {
		return [
			title_line(row.label),
			element(
				'p',
				{ class: 'quiet' },
				`Process ${row.process_id}, ${row.kind}, ${time(row.length)}, from ${seconds(row.start_ns)} s to ${seconds(row.end_ns)} s. `,
			),
			...tree.details(row, select_row),
			command_line(row.command),
		];
	}

	const select = (process, focus) => select_row(row_of(process), focus, process);

	// Shows a row's process: `process`, where it is one of several profiles that the row has, else its last.
	function select_row(row, focus, process = tree ? row.process : row) {
		close();
		view.row = row;
		view.process = process;
		at('crate').hidden = false;
		if (process) at('crate').append(...crate_head(process), ...crate_trace(process), ...crate_top(process));
		else at('crate').append(...process_head(row));
		view.bars.get(row).setAttribute('aria-current', 'true');
		refresh();
		if (focus) {
			history.replaceState(null, '', `#process-${row.process_id}`);
			at('crate-title').focus({ preventScroll: true });
			at('crate').scrollIntoView({ block: 'start' });
		}
	}

	draw_header();
	draw_timeline();
	draw_crates();
	draw_chain();
	draw_totals();
	draw_notes();
	const asked = rows.find((row) => location.hash === `#process-${row.process_id}`);
	if (asked) select_row(asked, true);
})();
