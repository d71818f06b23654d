# SPDX-License-Identifier: GPL-2.0-only
# Points and a line through them, for each mode. Data blocks, two a mode: its points (x, y); its
# name, then the line's ends (x, y). Set with -e: colours (a number for each mode), axis (x), what
# (y), tics (y's format).
file = name.".dat"
modes = words(colours)
symbols = "7 5 9 13 11 15"
symbol(mode) = int(word(symbols, mode % words(symbols) + 1))
colour(mode) = int(word(colours, mode + 1))
highest = 0.
furthest = 0.
do for [mode = 0:modes - 1] {
	stats file index 2 * mode using 1:2 name "ALL" nooutput
	highest = ALL_max_y > highest ? ALL_max_y : highest
	furthest = ALL_max_x > furthest ? ALL_max_x : furthest
}

set xrange [0:furthest > 0 ? furthest * 1.04 : 1]
set yrange [0:highest > 0 ? highest * 1.08 : 1]
set xtics tic_step(furthest)
set ytics tic_step(highest)
set format y tics
unset grid
set grid ytics linetype 1 linewidth 0.7 linecolor rgb faint
set xlabel axis textcolor rgb ink offset 0,0.4
set ylabel what textcolor rgb ink
set key outside bottom center horizontal Left reverse maxcols 3 samplen 1.4 width 1 height 0.8

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot for [mode = 0:modes - 1] file index 2 * mode + 1 using 1:2 with lines linewidth 2 \
			linecolor rgb colour(mode) notitle, \
		for [mode = 0:modes - 1] file index 2 * mode + 1 using 1:(NaN) with linespoints \
			linewidth 2 pointsize 0.6 pointtype symbol(mode) \
			linecolor rgb colour(mode) title columnheader(1), \
		for [mode = 0:modes - 1] file index 2 * mode using 1:2 with points pointsize 0.6 \
			pointtype symbol(mode) linecolor rgb colour(mode) notitle
}
unset output
