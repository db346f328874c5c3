"""Everything SQL. Functions take a Session and never commit; `db.session` opens and commits at the edges."""
