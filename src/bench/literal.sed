# A text as a C string literal, a line a line.
s/\\/\\\\/g
s/"/\\"/g
s/^/"/
s/$/\\n"/
