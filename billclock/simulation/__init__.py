"""A company that does not exist and time that passes at once: demonstrations, rehearsals."""
