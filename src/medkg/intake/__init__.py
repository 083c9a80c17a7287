"""Reading what people send: documents of RDF, and the extracted text of roadmap tables."""
