"""Who is asking: tokens, OAuth, personal access tokens, the user's own record."""
