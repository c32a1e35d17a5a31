// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';
(() => {
	const { element, number, signed, milliseconds, time, signed_time, plural } = figures;
	const data = figures.data('data');
	const at = (id) => document.getElementById(id);
	const column = Object.fromEntries(data.columns.map((name, index) => [name, index]));
	const several = data.base.length > 1 && data.change.length > 1;
	const ranged = data.base.length > 1 || data.change.length > 1;

	// A row of the data by names.
	function read(values) {
		const side = (figure, name) => ({
			median: values[column[`${name}_${figure}`]],
			low: values[column[`${name}_${figure === 'count' ? 'count_low' : 'self_low_ns'}`]],
			high: values[column[`${name}_${figure === 'count' ? 'count_high' : 'self_high_ns'}`]],
		});
		const compared = (figure, noise, verdict) => {
			const base = side(figure, 'base');
			const change = side(figure, 'change');
			return {
				base,
				change,
				difference: change.median - base.median,
				noise: values[column[noise]],
				verdict: values[column[verdict]],
			};
		};
		return {
			label: values[column.label],
			self: compared('self_ns', 'self_noise_ns', 'self_verdict'),
			count: compared('count', 'count_noise', 'count_verdict'),
		};
	}

	const read_crate = (crate) => ({ ...crate, total: read(crate.total), read: undefined });
	const crates = data.crates.map(read_crate);
	const all = read_crate(data.all);
	const rows_of = (crate) => (crate.read ??= crate.rows.map(read));
	const name_of = (crate) => crate.crate ?? 'All crates together';

	const counts_most = (verdict) => verdict === 'real' || verdict === 'large';
	const is_significant = (row) => counts_most(row.self.verdict) || counts_most(row.count.verdict);

	// Sorts by relative difference: what is new comes after all that grew.
	const relative = ({ base, difference }) =>
		difference === 0 ? 0 : base.median === 0 ? Infinity : difference / base.median;

	function percent(figure) {
		const value = relative(figure);
		if (value === 0) return '0 %';
		if (value === Infinity) return 'new';
		return `${signed(value * 100, Math.abs(value) < 1 ? 1 : 0)} %`;
	}

	const tint = (figure) =>
		!counts_most(figure.verdict) ? 'quiet' : figure.difference > 0 ? 'slower strong' : 'faster strong';

	const tinted = (figure, text) => element('span', { class: tint(figure) }, text);

	const verdict_texts = {
		same: 'same',
		small: 'small',
		large: 'large',
		noise: 'within noise',
		real: 'real',
	};
	// A crate that one side lacks is neither slower nor faster, and comes behind those that both have.
	const is_one_sided = (row) => row.base_runs === 0 || row.change_runs === 0;
	const tinted_in = (row, figure, text) => (is_one_sided(row) ? element('span', { class: 'quiet' }, text) : tinted(figure, text));
	const verdict_of = (row, figure) =>
		row.base_runs === 0 ? 'new' : row.change_runs === 0 ? 'gone' : verdict_texts[figure.verdict];
	const verdict_order = ['same', 'small', 'noise', 'large', 'real'];

	const show_ranges = { on: false };

	function median(side, runs, format) {
		if (!show_ranges.on || runs < 2 || side.low === side.high) return format(side.median);
		return element(
			'span',
			{},
			format(side.median),
			element('span', { class: 'range' }, `${format(side.low)} to ${format(side.high)}`),
		);
	}

	// The columns for a table of rows, or of crates with `of` their totals. Milliseconds get so many decimals.
	function columns_of(first, of, decimals) {
		const ms = (ns) => milliseconds(ns, decimals);
		const list = [
			first,
			{
				title: 'Base, ms', hint: 'Self time in the base', number: true, descending: true,
				get: (row) => of(row).self.base.median,
				cell: (row) => median(of(row).self.base, data.base.length, ms),
			},
			{
				title: 'Change, ms', hint: 'Self time in the change', number: true, descending: true,
				get: (row) => of(row).self.change.median,
				cell: (row) => median(of(row).self.change, data.change.length, ms),
			},
			{
				title: 'Diff., ms', hint: 'Change less base; the first click puts the largest on top, whatever its sign',
				number: true, descending: true,
				get: (row) => (is_one_sided(row) ? -1 : Math.abs(of(row).self.difference)),
				cell: (row) => tinted_in(row, of(row).self, signed(of(row).self.difference / 1e6, decimals)),
			},
			{
				title: 'Diff., %', hint: 'The difference in percent of the base', number: true, descending: true,
				get: (row) => (is_one_sided(row) ? -Infinity : relative(of(row).self)),
				cell: (row) => tinted_in(row, of(row).self, percent(of(row).self)),
			},
		];
		if (several) {
			list.push({
				title: 'Noise, ± ms', hint: 'What a difference has to exceed to be called real', number: true, descending: true,
				get: (row) => of(row).self.noise,
				cell: (row) => ms(of(row).self.noise),
			});
		}
		list.push(
			{
				title: 'Time', hint: several ? 'Whether the difference of self time is real' : 'How large the difference of self time is',
				descending: true,
				get: (row) => (is_one_sided(row) ? -1 : verdict_order.indexOf(of(row).self.verdict)),
				cell: (row) => tinted_in(row, of(row).self, verdict_of(row, of(row).self)),
			},
			{
				title: 'Count, base', hint: 'How often it ran in the base', number: true, descending: true,
				get: (row) => of(row).count.base.median,
				cell: (row) => median(of(row).count.base, data.base.length, number),
			},
			{
				title: 'Count, change', hint: 'How often it ran in the change', number: true, descending: true,
				get: (row) => of(row).count.change.median,
				cell: (row) => median(of(row).count.change, data.change.length, number),
			},
			{
				title: 'Count, diff.', hint: 'The first click puts the largest on top, whatever its sign',
				number: true, descending: true,
				get: (row) => (is_one_sided(row) ? -1 : Math.abs(of(row).count.difference)),
				cell: (row) => tinted_in(row, of(row).count, signed(of(row).count.difference)),
			},
		);
		return list;
	}

	// What is on show below the crates.
	const view = { crate: undefined, text: '', significant: false, table: undefined };
	const shown = element('span', { class: 'shown quiet', role: 'status' });
	const place = element('div');

	function draw_rows() {
		const list = rows_of(view.crate);
		const kept = list.filter(
			(row) => row.label.toLowerCase().includes(view.text) && (!view.significant || is_significant(row)),
		);
		let sum = 0;
		for (const row of kept) sum += row.self.difference;
		view.table.show(kept);
		shown.textContent = `${number(kept.length)} of ${plural(list.length, 'label')}, together ${signed_time(sum)}`;
	}

	function make_table() {
		const { self } = view.crate.total;
		const decimals = figures.decimals_for(Math.max(self.base.median, self.change.median));
		const label = { title: 'Label', mono: true, get: (row) => row.label };
		view.table = figures.table({
			name: `Labels of ${name_of(view.crate)}`,
			columns: columns_of(label, (row) => row, decimals),
			sort: 3,
			tall: true,
		});
		place.replaceChildren(view.table.node);
		draw_rows();
	}

	function describe(crate) {
		const { self, count } = crate.total;
		const parts = [];
		if (data.folders && !crate.crate && data.common_crates < crates.length)
			parts.push(`${plural(data.common_crates, 'crate')} that every run has.`);
		if (crate.crate && (crate.base_profiles > 1 || crate.change_profiles > 1))
			parts.push(`The sum of ${number(crate.base_profiles)} and ${plural(crate.change_profiles, 'profile')}.`);
		if (crate.crate && is_one_sided(crate))
			parts.push(crate.base_runs ? 'Only the base has this crate.' : 'Only the change has this crate.');
		parts.push(
			`Self time ${time(self.base.median)} to ${time(self.change.median)} (${percent(self)}),`,
			`count ${number(count.base.median)} to ${number(count.change.median)} (${percent(count)}).`,
		);
		return parts.join(' ');
	}

	function select(crate, focus) {
		view.crate = crate;
		at('labels-title').textContent = data.folders ? name_of(crate) : 'By label';
		at('labels-note').textContent = describe(crate);
		make_table();
		if (focus) {
			at('labels-title').focus({ preventScroll: true });
			at('labels').scrollIntoView({ block: 'start' });
		}
	}

	function draw_header() {
		const names = (title, list) => [
			element('dt', {}, title),
			element('dd', { class: 'path' }, ...list.map((name) => element('div', {}, name))),
		];
		at('sides').append(...names('Base', data.base), ...names('Change', data.change));
		at('theme').append(figures.theme());
		document.title = `${data.base[0]} and ${data.change[0]} compared`;
	}

	function draw_cards() {
		const { self, count } = all.total;
		const significant = rows_of(all).filter(is_significant).length;
		const list = [
			['Self time, base', time(self.base.median), plural(data.base.length, 'run')],
			['Self time, change', time(self.change.median), plural(data.change.length, 'run')],
			[
				'Difference',
				tinted(self, signed_time(self.difference)),
				several ? `${percent(self)}, ${verdict_texts[self.verdict]}` : percent(self),
			],
			['Count', tinted(count, signed(count.difference)), `${number(count.base.median)} to ${number(count.change.median)}`],
			['Significant labels', number(significant), `of ${number(all.rows.length)}`],
		];
		if (data.folders) {
			const alone = crates.filter(is_one_sided).length;
			list.push(['Crates on both sides', number(crates.length - alone), alone ? `${number(alone)} on one side only` : 'no others']);
		}
		at('cards').append(figures.cards(list));
	}

	function draw_crates() {
		const list = [all, ...crates];
		const largest = Math.max(...list.map((crate) => crate.total.self.base.median));
		const name = {
			title: 'Crate',
			get: name_of,
			cell: (crate) => {
				const side = !is_one_sided(crate) ? '' : crate.base_runs ? ' (base only)' : ' (change only)';
				return name_of(crate) + side;
			},
		};
		let text = '';
		const draw = () => table.show(list.filter((crate) => !crate.crate || name_of(crate).toLowerCase().includes(text)));
		const table = figures.table({
			name: 'Crates',
			columns: columns_of(name, (crate) => crate.total, figures.decimals_for(largest)),
			sort: 3,
			select: (crate) => {
				select(crate, true);
				draw();
			},
			is_current: (crate) => crate === view.crate,
		});
		at('crates').append(
			element(
				'div',
				{ class: 'bar-of-tools' },
				figures.filter_field('Filter crates', (typed) => {
					text = typed;
					draw();
				}),
			),
			table.node,
		);
		at('crates-note').textContent = 'Choose a crate to see its labels below.';
		at('crates').hidden = false;
		draw();
	}

	function draw_notes() {
		const runs = `${plural(data.base.length, 'run')} of the base and ${plural(data.change.length, 'run')} of the change`;
		const notes = [
			'Self time is what a query or activity took itself, without those that ran inside of it. The count is how often it ran; results that were already there are not counted.',
		];
		if (several) {
			notes.push(
				`There are ${runs}. Figures are the medians of the runs; “Show ranges” adds the lowest and the highest.`,
				`A difference is called real if the two sides’ ranges do not overlap and the medians are further apart than the noise: ${data.deviations} times the sum of both sides’ median absolute deviations from their median.`,
				`With so many runs, chance alone keeps the ranges apart for up to ${number(data.chance_percent, data.chance_percent < 10 ? 1 : 0)} % of labels that did not change. More runs make this rarer. Runs of both sides taken in turns keep a machine that is busy for a while from looking like a change.`,
				'“Only significant” shows labels whose time or count has a real difference.',
				'Medians of parts do not add up to the median of their sum, so the columns’ sums differ from the totals above.',
			);
		} else {
			notes.push(
				`There are ${runs}, so noise cannot be told from change: give two runs or more of each side (--base, --change).`,
				`A difference of time is called large from ${number(data.large_share * 100, 1)} % of the base’s whole self time on, for no better reason than that smaller ones matter less. Any difference of counts is.`,
				'“Only significant” shows labels with a large difference of time, or any of count.',
			);
		}
		if (data.folders) {
			notes.push(
				'Crates are matched by the names of their profiles. Several profiles of a crate within a run are added up: a library and its tests, several versions, all build scripts.',
				'“All crates together” leaves out crates that a run lacks.',
			);
		}
		at('notes').append(element('ul', {}, ...notes.map((note) => element('li', {}, note))));
	}

	draw_header();
	draw_cards();
	view.crate = all;
	if (data.folders) draw_crates();
	at('labels').append(
		element(
			'div',
			{ class: 'bar-of-tools' },
			figures.filter_field('Filter labels', (typed) => {
				view.text = typed;
				draw_rows();
			}),
			figures.checkbox('Only significant', 'See below for how this is decided', (on) => {
				view.significant = on;
				draw_rows();
			}),
			ranged
				? figures.checkbox('Show ranges', 'The lowest and the highest of the runs', (on) => {
						show_ranges.on = on;
						make_table();
					})
				: undefined,
			shown,
		),
		place,
	);
	select(all, false);
	draw_notes();
})();
