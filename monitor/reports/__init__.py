"""Reports of finished periods, as pages to print, as a spreadsheet and as a table."""
