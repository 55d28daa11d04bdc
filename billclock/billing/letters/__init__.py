"""Letters: a notice's words in its reader's language, and the channel that sends them."""
