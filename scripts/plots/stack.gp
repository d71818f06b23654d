# SPDX-License-Identifier: GPL-2.0-only
# Horizontal stacked bars. Data blocks: rows (y, total, low, high, name, text), headings (y,
# text), two that are not used, then one a part, its name first: (y, from, to, colour). Set with
# -e: rows, parts, axis.
file = name.".dat"
stats file index 0 using 4 name "HIGH" nooutput
limit = HIGH_max > 0 ? HIGH_max * 1.2 : 1

set yrange [-rows + 0.4:0.6]
set xrange [0:limit]
set xtics tic_step(limit)
set border 0
set ytics scale 0
set xlabel axis textcolor rgb ink offset 0,0.4
set key outside bottom center horizontal Left reverse maxcols 3 samplen 1.2 width 1 height 0.8

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot for [part = 4:parts + 3] file index part \
			using 3:1:2:3:($1 - 0.36):($1 + 0.36):4 \
			with boxxyerror linecolor rgb variable title columnheader(1), \
		file index 0 using ($4 > $3 ? $2 : NaN):1:3:4 with xerrorbars pointtype 7 \
			pointsize 0 linecolor rgb ink linewidth 1 notitle, \
		file index 0 using 4:1:6:yticlabels(5) with labels left offset 0.8,0 \
			textcolor rgb ink notitle, \
		file index 1 using (0):1:2 with labels left offset 0.2,-0.1 textcolor rgb ink notitle
}
unset output
