"""Questions over stored annotations: one file each. Every function takes a Session and a `Filter` and returns rows.

Offsets are Unicode code points into a tweet's text, end exclusive. Merged entities count as one, hidden ones do not.
"""
