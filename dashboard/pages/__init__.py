"""One file a page: `content` draws it whole, `register` adds the callbacks that keep it up to date."""
