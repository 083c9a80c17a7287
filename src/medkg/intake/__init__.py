"""Reading what people send; so far the extracted text of roadmap tables."""
