import './app/locale.ts';
import { mount } from 'svelte';
import StudyLinkPage from './features/study/StudyLinkPage.svelte';
import './ui/tokens.css';
import './ui/base.css';

mount(StudyLinkPage, { target: document.getElementById('app')! });
