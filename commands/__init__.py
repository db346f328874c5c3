"""The commands, one file each: parse, call one function, print. Heavy libraries are imported where they are used."""
