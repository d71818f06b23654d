# SPDX-License-Identifier: GPL-2.0-only
# Bytes over time on a logarithmic axis that starts with zero. One data block a line, its name
# first: (t, bytes). Set with -e: colours, dashes and widths, a number for each
# line; columns of the legend.
file = name.".dat"
zero = 2048.
lines = words(colours)
stats file using 1:2 name "ALL" nooutput
top = ALL_max_y > 4 * zero ? ALL_max_y * 2 : 8 * zero

set logscale y 2
set yrange [zero * 0.8:top]
set ytics ("0" zero, "16 KiB" 2.**14, "64 KiB" 2.**16, "256 KiB" 2.**18, "1 MiB" 2.**20, \
	"4 MiB" 2.**22, "16 MiB" 2.**24, "64 MiB" 2.**26, "256 MiB" 2.**28, "1 GiB" 2.**30, \
	"4 GiB" 2.**32, "16 GiB" 2.**34, "64 GiB" 2.**36, "256 GiB" 2.**38, "1 TiB" 2.**40, \
	"4 TiB" 2.**42)
unset grid
set grid ytics linetype 1 linewidth 0.7 linecolor rgb faint
set xrange [0:ALL_max_x > 0 ? ALL_max_x : 1]
set xlabel axis textcolor rgb ink offset 0,0.4
set ylabel "pinned memory" textcolor rgb ink
set key outside bottom center horizontal Left reverse maxcols columns samplen 1.4 width 1 height 0.8

do for [draw in "svg png"] {
	eval (draw eq "svg" ? draw_svg : draw_png)
	plot for [line = 0:lines - 1] file index line \
		using 1:($2 > zero ? $2 : zero) with steps linewidth word(widths, line + 1) + 0. \
		dashtype int(word(dashes, line + 1)) linecolor rgb int(word(colours, line + 1)) title columnheader(1)
}
unset output
