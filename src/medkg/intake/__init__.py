"""Reading what people send: workbooks, RDF and roadmap texts, each value with its position in the source."""
