"""The billing domain: one module is one area with its tables, queries and acts."""
