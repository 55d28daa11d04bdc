"""How other languages write the dates whose form the code names in English, a package each."""
