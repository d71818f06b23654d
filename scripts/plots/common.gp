# SPDX-License-Identifier: GPL-2.0-only
# What all plots share. Loaded first; iommubench sets with -e: name, title, axis, width,
# height.
# The page recolours these for its dark mode by their exact values (harness/report_style.c).
ink = "#444445"
faint = "#c8c8c9"
paper = "#fefefe"

set encoding utf8
set terminal unknown
set datafile separator whitespace
set border 1 linecolor rgb faint
set tics nomirror scale 0.4 textcolor rgb ink
set grid xtics linetype 1 linewidth 0.7 linecolor rgb faint
set title title textcolor rgb ink offset 0,-0.5 noenhanced
set tmargin 2
set key textcolor rgb ink noenhanced
set style fill solid 1.0 noborder

# Between tics from 0 to limit: 1, 2 or 5 times a power of ten. At most six tics, because long
# labels at the left leave little room for names like "100 k".
power_below(x) = 10.**floor(log10(x))
round_up(x, power) = x <= power ? power : x <= 2 * power ? 2 * power : x <= 5 * power ? 5 * power : \
	10 * power
tic_step(limit) = limit > 0 ? round_up(limit / 5., power_below(limit / 5.)) : 1

# 1536 is "1.5 KiB": gnuplot's own prefix is "ki".
binary_power(x) = x < 1024 ? 0 : x >= 1024.**5 ? 5 : int(log(x) / log(1024.) + 1e-9)
binary_name(x) = x == 0 ? "0" : sprintf("%.4g %s", x / 1024.**binary_power(x), \
	word("B KiB MiB GiB TiB PiB", binary_power(x) + 1))
binary_step(limit) = 2.**ceil(log(limit) / log(2))

# macro: the same plot twice, as SVG and as PNG at double size
draw_svg = 'set terminal svg size width,height font "sans-serif,13" background paper noenhanced; \
	set output name.".svg"'
draw_png = 'set terminal pngcairo size 2*width,2*height font "sans-serif,13" fontscale 1.5 \
	linewidth 2 pointscale 2 background paper noenhanced; set output name.".png"'
