// SPDX-License-Identifier: MIT OR Apache-2.0
'use strict';
// What the pages of compare and report share. Texts from profiles only ever become text nodes and attributes' values.
const figures = (() => {
	const rows_at_first = 300;

	// What the element `id` holds as JSON.
	const data = (id) => JSON.parse(document.getElementById(id).textContent);

	// An element with attributes (functions listen, false and undefined are left out) and children (nodes and texts).
	function element(name, attributes, ...children) {
		const made = document.createElement(name);
		for (const [key, value] of Object.entries(attributes ?? {})) {
			if (typeof value === 'function') made.addEventListener(key, value);
			else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
		}
		made.append(...children.filter((child) => child !== undefined));
		return made;
	}

	const formats = new Map();
	function number(value, decimals = 0) {
		if (!formats.has(decimals)) {
			formats.set(
				decimals,
				new Intl.NumberFormat('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
			);
		}
		return formats.get(decimals).format(value);
	}

	// With a sign in front: a real minus, as wide as a plus.
	function signed(value, decimals = 0) {
		const text = number(Math.abs(value), decimals);
		if (!/[1-9]/.test(text)) return text;
		return (value < 0 ? '−' : '+') + text;
	}

	const milliseconds = (ns, decimals = 2) => number(ns / 1e6, decimals);

	// How many decimals a column of milliseconds needs, so that its small values can be told apart.
	const decimals_for = (largest_ns) => (largest_ns < 1e8 ? 3 : largest_ns < 1e11 ? 2 : 1);

	// A time on its own, in the unit that fits.
	function time(ns) {
		for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
			if (Math.abs(ns) >= size) {
				const value = ns / size;
				return `${number(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)} ${unit}`;
			}
		}
		return `${number(ns)} ns`;
	}

	const signed_time = (ns) => (ns === 0 ? '0' : (ns < 0 ? '−' : '+') + time(Math.abs(ns)));

	const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

	// The strip of figures at the top: [title, figure, small print].
	function cards(list) {
		return element(
			'dl',
			{ class: 'cards' },
			...list.map(([title, figure, small]) =>
				element(
					'div',
					{},
					element('dt', {}, title),
					element('dd', {}, figure, small === undefined ? undefined : element('small', {}, small)),
				),
			),
		);
	}

	/*
	 * A sortable table. Columns: { title, hint, get (what is sorted by), cell (text or node; by default what get
	 * returns), number, mono, prose (may be broken into lines), descending (its first order) }; the first one heads
	 * the rows. Options: name, columns, sort (a column's index), select (called with a row when its head is activated),
	 * is_current. Returns { node, show (rows), rows (those on show, in their order) }.
	 */
	function table(options) {
		const { columns } = options;
		const made = new Map();
		let rows = [];
		let by = options.sort ?? 0;
		let descending = columns[by].descending ?? false;
		let limit = rows_at_first;
		const body = element('tbody');
		const heads = columns.map((column, index) =>
			element(
				'th',
				{ scope: 'col', class: classes(column) },
				element('button', { type: 'button', title: column.hint, click: () => sort_by(index) }, element('span', {}, column.title)),
			),
		);
		const more = element('button', { type: 'button', class: 'more screen', click: () => show_all() });
		const node = element(
			'div',
			{},
			element(
				'div',
				{ class: `scroll${options.tall ? ' tall' : ''}`, tabindex: 0, role: 'region', 'aria-label': options.name },
				element('table', { 'aria-label': options.name }, element('thead', {}, element('tr', {}, ...heads)), body),
			),
			more,
		);

		function classes(column) {
			const list = [column.number && 'number', column.mono && 'mono', column.prose && 'prose'].filter(Boolean);
			return list.length ? list.join(' ') : undefined;
		}

		function make(row) {
			return element(
				'tr',
				{},
				...columns.map((column, index) => {
					let content = (column.cell ?? column.get)(row);
					if (index > 0) return element('td', { class: classes(column) }, content);
					const title = typeof content === 'string' ? content : undefined;
					if (options.select)
						content = element('button', { type: 'button', click: () => options.select(row) }, content);
					return element('th', { scope: 'row', class: classes(column), title }, content);
				}),
			);
		}

		function order(left, right) {
			const a = columns[by].get(left);
			const b = columns[by].get(right);
			const result = typeof a === 'string' ? (a < b ? -1 : a > b ? 1 : 0) : a - b;
			return descending ? -result : result;
		}

		function draw() {
			heads.forEach((head, index) => {
				if (index === by) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
				else head.removeAttribute('aria-sort');
			});
			rows.sort(order);
			body.replaceChildren(
				...rows.slice(0, limit).map((row) => {
					if (!made.has(row)) made.set(row, make(row));
					const line = made.get(row);
					if (options.is_current?.(row)) line.setAttribute('aria-current', 'true');
					else line.removeAttribute('aria-current');
					return line;
				}),
			);
			if (!rows.length)
				body.append(element('tr', {}, element('td', { class: 'empty', colspan: columns.length }, 'Nothing to show.')));
			more.hidden = rows.length <= limit;
			more.textContent = `Show all ${number(rows.length)} rows`;
		}

		function sort_by(index) {
			descending = index === by ? !descending : (columns[index].descending ?? false);
			by = index;
			draw();
		}

		function show_all() {
			limit = Infinity;
			draw();
		}

		addEventListener('beforeprint', () => {
			if (rows.length > limit) show_all();
		});
		return {
			node,
			show(list) {
				rows = [...list];
				draw();
			},
			rows: () => rows,
		};
	}

	// A field that calls `change` with what was typed, in lower case.
	function filter_field(name, change) {
		return element('input', {
			type: 'search',
			placeholder: name,
			'aria-label': name,
			spellcheck: 'false',
			input: (event) => change(event.target.value.trim().toLowerCase()),
		});
	}

	function checkbox(name, hint, change) {
		return element(
			'label',
			{ title: hint },
			element('input', { type: 'checkbox', change: (event) => change(event.target.checked) }),
			name,
		);
	}

	// Light or dark: as the system has it, until the button says otherwise. Print is always light.
	function theme() {
		const system = matchMedia('(prefers-color-scheme: dark)');
		const rules = [...document.styleSheets]
			.flatMap((sheet) => [...sheet.cssRules])
			.filter((rule) => rule instanceof CSSMediaRule && rule.media.mediaText.includes('prefers-color-scheme'));
		const button = element('button', { type: 'button', class: 'screen', click: () => choose(!is_dark()) });
		let chosen;

		const is_dark = () => chosen ?? system.matches;

		function apply() {
			for (const rule of rules) rule.media.mediaText = is_dark() ? 'screen' : 'not all';
			document.documentElement.style.colorScheme = is_dark() ? 'dark' : 'light';
			button.textContent = is_dark() ? 'Light colours' : 'Dark colours';
		}

		function choose(dark) {
			chosen = dark;
			apply();
		}

		system.addEventListener('change', apply);
		apply();
		return button;
	}

	return {
		data, element, number, signed, milliseconds, decimals_for, time, signed_time, plural,
		cards, table, filter_field, checkbox, theme,
	};
})();
