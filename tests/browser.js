/* SPDX-License-Identifier: GPL-2.0-only */
/* Looks at a page in a browser; tests/browser.sh evaluates it. What is wrong, in words. */
(() => {
	const wrong = [];
	const luminance = (rgb) => {
		const [r, g, b] = rgb.map((c) => c / 255).map((c) =>
			c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const colour = (text) => text.match(/[0-9.]+/g).map(Number);
	const ground = (element) => {
		for (let e = element; e; e = e.parentElement) {
			const c = colour(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0)
				return c.slice(0, 3);
		}
		return [255, 255, 255];
	};
	const contrast = (a, b) => {
		const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
		return (x + 0.05) / (y + 0.05);
	};
	const scrolls = (e) => e.closest('.wide, .scroll') && !matchMedia('print').matches;

	if (document.documentElement.scrollWidth > innerWidth)
		wrong.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll('body *:not(svg *)')) {
		if (e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
			wrong.push('sticks out: ' + e.tagName + ' ' + e.textContent.slice(0, 40));
	}
	for (const box of document.querySelectorAll('.wide, .scroll')) {
		const whole = matchMedia('print').matches || box.closest('#summary');
		if (whole && box.scrollWidth > box.clientWidth)
			wrong.push('is cut: ' + box.textContent.slice(0, 40));
	}
	for (const e of document.querySelectorAll('body *')) {
		const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
		if (!own || e.tagName === 'desc' || !e.getClientRects().length)
			continue;
		const style = getComputedStyle(e);
		const ink = e instanceof SVGElement ? style.fill : style.color;
		if (contrast(colour(ink).slice(0, 3), ground(e)) < 4.5)
			wrong.push('too pale, ' + ink + ': ' + e.textContent.slice(0, 40));
	}
	const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
	if (new Set(ids).size !== ids.length)
		wrong.push('an id is there twice');
	for (const e of document.querySelectorAll('svg use')) {
		const href = e.getAttribute('xlink:href') || e.getAttribute('href');
		if (!e.closest('svg').querySelector('[id=' + CSS.escape(href.slice(1)) + ']'))
			wrong.push('a plot uses what is not in it: ' + href);
	}
	return [...new Set(wrong)].slice(0, 10).join('; ');
})()
