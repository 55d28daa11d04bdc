"""What a job did to an object on a date, or why nothing: in a sentence, from stored facts alone."""
